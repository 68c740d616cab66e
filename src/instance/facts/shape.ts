/** Reads a value of one shape out of parsed JSON. Throws ShapeError where it differs. */
export type Shape<T> = (value: unknown, path: string) => T;

export class ShapeError extends Error {}

function mismatch(path: string, wanted: string): never {
  throw new ShapeError(`${path === '' ? 'the document' : path} is not ${wanted}`);
}

/** A string of at most `max` characters. */
export function text(max = 4096): Shape<string> {
  return (value, path) =>
    typeof value === 'string' && value.length <= max
      ? value
      : mismatch(path, `text of up to ${max} characters`);
}

/** A number that is an integer, not negative, and exact. */
export const count: Shape<number> = (value, path) =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    ? value
    : mismatch(path, 'a whole number');

/** Any integer. */
export const integer: Shape<number> = (value, path) =>
  typeof value === 'number' && Number.isSafeInteger(value) ? value : mismatch(path, 'an integer');

export const flag: Shape<boolean> = (value, path) =>
  typeof value === 'boolean' ? value : mismatch(path, 'true or false');

export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return (value, path) => (value === null ? null : shape(value, path));
}

/** A list of at most `max` members. */
export function list<T>(shape: Shape<T>, max = 10_000): Shape<T[]> {
  return (value, path) =>
    Array.isArray(value) && value.length <= max
      ? value.map((member, index) => shape(member, `${path}[${index}]`))
      : mismatch(path, `a list of up to ${max}`);
}

/** An object whose names are data. */
export function table<T>(shape: Shape<T>): Shape<ReadonlyMap<string, T>> {
  return (value, path) =>
    new Map(
      Object.entries(asObject(value, path)).map(([name, field]) => [name, shape(field, `${path}.${name}`)]),
    );
}

/** An object with these fields; others are left out. */
export function fields<T extends Record<string, unknown>>(shapes: { [K in keyof T]: Shape<T[K]> }): Shape<T> {
  return (value, path) => {
    const object = asObject(value, path);
    const names = Object.keys(shapes) as (keyof T & string)[];
    const read = names.map((name) => [
      name,
      shapes[name](object[name], path === '' ? name : `${path}.${name}`),
    ]);
    return Object.fromEntries(read) as T;
  };
}

function asObject(value: unknown, path: string): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : mismatch(path, 'an object');
}
