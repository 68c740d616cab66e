import { describeChange } from '../converge/describe';
import type { HealthCheck } from '../health/check';
import { escapeMarkdown, table } from './markdown';
import type { HealthReport, Report } from './outputs';

/** What a health check found, did and left, as Markdown for an issue: for people who do not see the run. */
export function issueText(
  { instance, zone, registry, changes, onlyPlanned }: Report,
  { state, checks, found }: HealthReport,
): string {
  const left = checks.filter((check) => check.state !== 'healthy');
  return [
    `The registry \`${registry}\` on ${escapeMarkdown(instance)} (${escapeMarkdown(zone)}) is **${state}**.`,
    ...part('Found', found ?? left),
    ...(onlyPlanned || changes.length === 0
      ? []
      : ['#### Done', changes.map((change) => `- ${escapeMarkdown(describeChange(change))}`).join('\n')]),
    ...(found === null ? [] : left.length === 0 ? ['#### Left', 'Nothing.'] : part('Left', left)),
    '',
  ].join('\n\n');
}

function part(title: string, checks: readonly HealthCheck[]): string[] {
  if (checks.length === 0) return [];
  const rows = checks.map(({ name, state, finding }) => [name, state, finding]);
  return [`#### ${title}`, table(['Check', 'State', 'Finding'], rows)];
}
