/**
 * A piece of foreign text that can stand in an error: without control and formatting characters, on one line, and
 * short, and without a full stop at its end. Of long text the end is kept, where programs say what went wrong.
 */
export function excerpt(text: string, max = 600): string {
  const plain = text
    // ANSI escape sequences (ECMA-48).
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    .replace(/\u001b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|.)/g, '')
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .replace(/ {2,}/g, ' ')
    .trim()
    .replace(/[.\s]+$/, '');
  return plain.length <= max ? plain : `…${plain.slice(-max)}`;
}
