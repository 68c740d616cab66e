/**
 * The pairs in a file of outputs, state or environment: `name=value`, or `name<<DELIMITER`, lines, `DELIMITER`
 * (docs.github.com, "Workflow commands: multiline strings").
 */
export function parseFileCommands(text: string): Record<string, string> {
  const pairs: Record<string, string> = {};
  const lines = text.split(/\r?\n/);
  while (lines.length > 0) {
    const line = lines.shift() ?? '';
    const heredoc = /^([^=]+?)<<(.+)$/.exec(line);
    if (heredoc?.[1] !== undefined && heredoc[2] !== undefined) {
      const end = lines.indexOf(heredoc[2]);
      if (end < 0) throw new Error(`a file command has no closing delimiter: ${line}`);
      pairs[heredoc[1]] = lines
        .splice(0, end + 1)
        .slice(0, -1)
        .join('\n');
      continue;
    }
    const at = line.indexOf('=');
    if (at > 0) pairs[line.slice(0, at)] = line.slice(at + 1);
  }
  return pairs;
}
