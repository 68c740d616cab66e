/*
 * The one place that makes text from elsewhere (a user, an instance, a daemon, a registry) fit to be shown: on one
 * line, printable, of bounded length, and nothing that a runner, a terminal or a reader's eye would obey.
 */

/** A value from a user for an error message: quoted, escaped to printable ASCII, and at most `limit` characters. */
export function show(value: string, limit = 80): string {
  const short = value.length > limit ? `${value.slice(0, limit)}…` : value;
  return JSON.stringify(short)
    .replace(/[^\x20-\x7e…]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .replaceAll('##[', '#\\u0023[');
}

/**
 * Text on one line of at most `limit` characters, without control and formatting characters (C0 and C1 controls,
 * bidirectional marks, lone surrogates), ANSI escape sequences, and workflow commands: the runner takes `##[` for one
 * anywhere in a line, `::` at the beginning.
 */
export function plain(text: string, limit = 4000): string {
  const line = withoutControls(text.length > 2 * limit ? text.slice(0, 2 * limit) : text);
  return line.length <= limit ? line : `${line.slice(0, limit)}…`;
}

/**
 * A piece of output that can stand in an error: as `plain`, without a full stop at its end. Of long text the end is
 * kept, where programs say what went wrong.
 */
export function excerpt(text: string, max = 600): string {
  const line = withoutControls(text.slice(-8 * max)).replace(/[.\s]+$/, '');
  return line.length <= max ? line : `…${line.slice(-max)}`;
}

/** The last line of output that is not blank, as an excerpt. */
export function lastLine(output: string): string {
  const lines = output.slice(-65_536).split('\n');
  return excerpt(lines.filter((line) => line.trim() !== '').at(-1) ?? '', 300);
}

function withoutControls(text: string): string {
  return (
    text
      // ANSI escape sequences (ECMA-48).
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      .replace(/\u001b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|.)/g, '')
      .replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]+/gu, ' ')
      .replace(/ {2,}/g, ' ')
      .trim()
      .replace(/##(?=\[)/g, '# #')
      .replace(/^::/, ': :')
  );
}
