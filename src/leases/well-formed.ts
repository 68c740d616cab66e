/** A test of one field of a record. */
export type Check = (value: unknown) => boolean;

/** Whether a value is an object with fields that pass their checks. */
export function hasFields(value: unknown, checks: Readonly<Record<string, Check>>): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(checks).every(([name, check]) => check((value as Record<string, unknown>)[name]));
}

/** Text on one line that matches, and is not longer than a record needs. */
export function text(pattern: RegExp): Check {
  return (value) => typeof value === 'string' && value.length <= 4096 && pattern.test(value);
}

export const isFlag: Check = (value) => typeof value === 'boolean';
export const isTime: Check = (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value));
export const isDigest = text(/^sha256:[0-9a-f]{64}$/);
/** A file's path, a word of a command line: one line, and no option. */
export const isWord = text(/^[^-\s\p{Cc}][^\p{Cc}]*$/u);

/** One certificate as PEM. */
export const isCertificate = text(
  /^-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n$/,
);

/** The check, or null. */
export function orNull(check: Check): Check {
  return (value) => value === null || check(value);
}
