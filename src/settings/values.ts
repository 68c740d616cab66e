import { ActionError } from '../values/errors';
import { show } from '../values/show';

/** Returns the value of an input, or the empty string; `core.getInput`. */
export type GetInput = (name: string) => string;

/** Refuses the value of an input. `value` null: do not show it, it is a secret. */
export function refuse(name: string, value: string | null, happened: string, next: string): never {
  throw new ActionError('Invalid input', {
    doing: `reading the input \`${name}\``,
    happened: value === null ? happened : `${show(value)} ${happened}`,
    next,
  });
}

/** One of a few words. */
export function choice<T extends string>(get: GetInput, name: string, allowed: readonly T[]): T {
  const value = get(name);
  const found = allowed.find((word) => word === value);
  return found ?? refuse(name, value, 'is not one of its values', `Use one of ${allowed.join(', ')}`);
}

/** `true` or `false`, as YAML's core schema spells them: the same as core.getBooleanInput. */
export function flag(get: GetInput, name: string): boolean {
  const value = get(name);
  if (['true', 'True', 'TRUE'].includes(value)) return true;
  if (['false', 'False', 'FALSE'].includes(value)) return false;
  return refuse(name, value, 'is neither true nor false', 'Use true or false');
}

/** A TCP port. */
export function port(get: GetInput, name: string): number {
  const value = get(name);
  const number = /^\d{1,5}$/.test(value) ? Number(value) : 0;
  if (number < 1 || number > 65535) refuse(name, value, 'is not a port', 'Use a number from 1 to 65535');
  return number;
}

/** A text that has to match; the empty string gives `fallback`. */
export function matching(
  get: GetInput,
  name: string,
  pattern: RegExp,
  rule: string,
  fallback?: string,
): string {
  const value = get(name);
  if (value === '' && fallback !== undefined) return fallback;
  if (value === '') refuse(name, null, 'it is empty', `Set it: ${rule}`);
  return pattern.test(value) ? value : refuse(name, value, 'is not valid', `Use ${rule}`);
}

/** The items of a list separated by commas or newlines; empty ones are left out. */
export function list(get: GetInput, name: string): string[] {
  return get(name)
    .split(/[,\n]/)
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** An http or https address without user, query or fragment; without the slash at the end. */
export function webAddress(name: string, value: string, schemes: readonly string[]): string {
  const url = URL.canParse(value) ? new URL(value) : null;
  const extra = url === null || url.username + url.password + url.search + url.hash !== '';
  if (extra || !schemes.includes(url.protocol) || /[\s'"\\]/.test(value) || value.length > 2000) {
    refuse(
      name,
      value,
      'is not an address of the kind that is needed here',
      `Use an address such as ${schemes[0]}//mirror.example.com/path, without user, query or fragment`,
    );
  }
  return url.href.replace(/\/+$/, '');
}
