/**
 * Quotes text for a POSIX shell, so that it is one word and stays as it is.
 *
 * @throws Error for NUL, which no shell can hold
 */
export function shellQuote(text: string): string {
  if (text.includes('\0')) throw new Error('NUL cannot be part of a shell word');
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * Writes text as a scalar of a compose file: a double-quoted YAML string in printable ASCII, in which Compose has
 * no variable to fill in (`$$` is a literal `$`).
 *
 * https://yaml.org/spec/1.2.2/#57-escaped-characters
 * https://docs.docker.com/reference/compose-file/interpolation/
 */
export function composeScalar(text: string): string {
  const escaped = Array.from(text, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (character === '"' || character === '\\') return `\\${character}`;
    if (character === '$') return '$$';
    if (code >= 0x20 && code < 0x7f) return character;
    const hex = code.toString(16);
    return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
  });
  return `"${escaped.join('')}"`;
}
