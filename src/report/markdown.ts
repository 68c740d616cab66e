import { plain } from '../values/show';

/** Text from anywhere, to be shown literally in GitHub's Markdown, also inside a table cell. */
export function escapeMarkdown(text: string): string {
  return plain(text).replace(/[&<>\\`*_{}[\]#!|~@$:]/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** A table of literal texts. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(header),
    line(header.map(() => '---')),
    ...rows.map((cells) => line(cells.map(escapeMarkdown))),
  ].join('\n');
}
