/** A value from a user for an error message: quoted, escaped to printable ASCII, and at most `limit` characters. */
export function show(value: string, limit = 80): string {
  const short = value.length > limit ? `${value.slice(0, limit)}…` : value;
  return JSON.stringify(short)
    .replace(/[^\x20-\x7e…]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .replaceAll('##[', '#\\u0023[');
}
