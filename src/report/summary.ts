import type { HealthCheck } from '../health/check';
import { escapeMarkdown, table } from './markdown';
import type { Report } from './outputs';

/** The job summary, as Markdown. */
export function summaryOf(report: Report): string {
  return [
    `### Registry on ${escapeMarkdown(report.instance)}`,
    ...address(report),
    ...health(report),
    ...images(report),
    ...changes(report),
    '',
  ].join('\n\n');
}

function address({ registry, uiUrl, addressMayChange }: Report): string[] {
  const ui = uiUrl === null ? '' : ` · [web UI](${uiUrl})`;
  const warning =
    '> [!WARNING]\n' +
    '> Images are tagged with the address of the instance. Unless that address is reserved, it changes when the ' +
    'instance is stopped. Reserve it as a static address, or set `registry-host` to a name.';
  return [`Registry \`${registry}\`${ui}`, ...(addressMayChange ? [warning] : [])];
}

function health({ health }: Report): string[] {
  if (health === null) return [];
  const rows = health.checks.map(({ name, state, finding }) => [name, state, finding]);
  return [`**${health.state}**`, table(['Check', 'State', 'Finding'], rows)];
}

function images({ images }: Report): string[] {
  if (images.length === 0) return [];
  const rows = images.map(({ reference, digest }) => [reference, digest]);
  const pulls = images.map(({ reference }) => `docker pull ${reference}`).join('\n');
  return [table(['Image', 'Digest'], rows), `\`\`\`sh\n${pulls}\n\`\`\``];
}

function changes({ changes, notes, onlyPlanned }: Report): string[] {
  const title = onlyPlanned ? 'Would change' : 'Changed';
  const rows = changes.map(({ target, what, from, to, why }) => [target, what, from ?? '–', to ?? '–', why]);
  return [
    changes.length === 0
      ? onlyPlanned
        ? 'Nothing would change.'
        : 'Nothing had to be changed.'
      : table(['Target', title, 'From', 'To', 'Because'], rows),
    ...(notes.length === 0 ? [] : [notes.map((note) => `- ${escapeMarkdown(note)}`).join('\n')]),
  ];
}

/** The rows of a health check for the log, in columns. */
export function healthTable(checks: readonly HealthCheck[]): string {
  const width = Math.max(0, ...checks.map(({ name }) => name.length));
  return checks
    .map(({ name, state, finding }) => `${name.padEnd(width)}  ${state.padEnd(9)}  ${finding}`)
    .join('\n');
}
