import type { HealthCheck } from '../health/check';
import { forAuthority, forPlainHttp } from './first-pull';
import { layoutSummary } from './layout';
import { escapeMarkdown, table } from './markdown';
import type { HealthReport, Report } from './outputs';
import { pruneSummary } from './prune';
import { toldPart } from './told-text';

/** The job summary, as Markdown: what happened first, and what is worth knowing once at the end. */
export function summaryOf(report: Report): string {
  const told = toldPart(report.movement, report.onlyPlanned);
  return [
    `### ${heading(report)}`,
    ...accessTaken(report),
    ...told.lines,
    ...health(report),
    ...images(report),
    ...(report.layout === null ? [] : layoutSummary(report.layout, report.onlyPlanned)),
    ...(report.pruned === null ? [] : pruneSummary(report.pruned, report.onlyPlanned)),
    ...(hasRegistryToReach(report) && !told.saysHowToPull ? clients(report) : []),
    ...(report.layout?.kind === 'backup' ? [] : changes(report)),
    ...(hasRegistryToReach(report) ? [...access(report), ...addressNote(report)] : []),
    '',
  ].join('\n\n');
}

/** A prune and a backup change nothing of how it is reached, and after a teardown there is none. */
function hasRegistryToReach({ mode }: Report): boolean {
  return mode !== 'teardown' && mode !== 'prune' && mode !== 'backup';
}

/** Tells the steps of one job apart. */
function heading({ mode, instance, images, health, layout, onlyPlanned }: Report): string {
  const on = `the registry on ${escapeMarkdown(instance)}`;
  if (health !== null) return `Registry on ${escapeMarkdown(instance)}: ${health.state}`;
  const would = layout?.kind === 'backup' ? 'copy' : 'change';
  if (onlyPlanned) return `Registry on ${escapeMarkdown(instance)}: what mode \`${mode}\` would ${would}`;
  if (mode === 'backup') return `Backed up ${on}`;
  if (layout !== null) return `Restored ${on}`;
  if (mode === 'prune') return `Pruned ${on}`;
  if (mode === 'teardown') return `Took ${on} away`;
  if (mode === 'connect') return `This job reaches ${on}`;
  if (images.length === 0) return `Set up ${on}`;
  return `Pushed ${images.map(({ reference }) => `\`${nameIn(reference)}\``).join(', ')} to ${on}`;
}

/** The name of an image without its registry. */
function nameIn(reference: string): string {
  return reference.slice(reference.indexOf('/') + 1);
}

/** Before all else: somebody may be locked out. */
function accessTaken({ changes, onlyPlanned }: Report): string[] {
  const taken = changes.filter(({ takesAccess }) => takesAccess);
  if (taken.length === 0) return [];
  const lines = taken.map(
    ({ what, from, to }) => `> - ${escapeMarkdown(`${what}: ${from ?? 'none'} → ${to ?? 'removed'}`)}`,
  );
  const title = onlyPlanned ? 'This would take access away:' : 'Access was taken away:';
  return [['> [!WARNING]', `> ${title}`, ...lines].join('\n')];
}

function health({ health }: Report): string[] {
  if (health === null) return [];
  const rows = health.checks.map(({ name, state, finding }) => [name, state, finding]);
  return [table(['Check', 'State', 'Finding'], rows), ...mended(health)];
}

/** What was wrong before the repair, and what has become of it. */
function mended({ checks, found }: HealthReport): string[] {
  if (found === null || found.length === 0) return [];
  const now = (name: string) => checks.find((check) => check.name === name)?.state ?? 'healthy';
  const rows = found.map(({ name, state, finding }) => [name, state, finding, now(name)]);
  return ['Before the repair:', table(['Check', 'Was', 'Finding', 'Is now'], rows)];
}

function images({ images, registry, job, loopback }: Report): string[] {
  if (images.length === 0) return [];
  const rows = images.map(({ reference, digest }) => [nameIn(reference), digest]);
  const at = (loopback && job?.endpoint) || registry;
  const pulls = images
    .map(({ reference, digest }) => `docker pull ${at}/${nameIn(reference)}@${digest}`)
    .join('\n');
  return [table(['Image', 'Digest'], rows), `\`\`\`sh\n${pulls}\n\`\`\``];
}

/** What a machine has to be told before it pulls for the first time. */
function clients({ registry, scheme, caCertificate, images, changes, loopback }: Report): string[] {
  if ((images.length === 0 && changes.length === 0) || loopback) return [];
  if (scheme === 'https' && caCertificate === null) return [];
  return [
    [
      '<details><summary>On a machine that pulls for the first time</summary>',
      '',
      'The machine has to be among `source-ranges`.',
      ...(caCertificate === null
        ? ['The registry speaks plain HTTP.', ...forPlainHttp(registry)]
        : forAuthority(registry, caCertificate)),
      '',
      '</details>',
    ].join('\n'),
  ];
}

/** Who can open the web UI after the job. */
function access(report: Report): string[] {
  const { registry, job, uiUrl, uiPort, openTo, instance, zone, loopback } = report;
  const here = job === null || job.endpoint === registry ? '' : `, in this job \`${job.endpoint}\``;
  const only = loopback ? '; nothing but SSH leads to it' : '';
  const at = `Registry \`${registry}\`${here}${only}`;
  if (uiUrl === null) return [at];
  if (openTo.length > 0) return [`${at} · [web UI](${uiUrl}), open to ${openTo.join(', ')}`];
  return [
    `${at} · the web UI is open to nobody after this job. Through a tunnel it is at http://localhost:${uiPort}:`,
    `\`\`\`sh\ngcloud compute ssh ${instance} --zone ${zone} -- -L ${uiPort}:localhost:${uiPort}\n\`\`\``,
  ];
}

/** Said where a run has set something up, and not with every push. */
function addressNote({ addressMayChange, changes, mode }: Report): string[] {
  if (!addressMayChange || changes.length === 0 || mode === 'push') return [];
  return [
    '> [!NOTE]\n' +
      '> Images are named after the address of the instance. Unless that address is reserved, it changes when the ' +
      'instance is stopped: reserve it as a static address, or set `registry-host` to a name.',
  ];
}

function changes({ changes, notes, onlyPlanned }: Report): string[] {
  const title = onlyPlanned ? 'Would change' : 'Changed';
  const rows = changes.map(({ target, what, from, to, why }) => [target, what, from ?? '–', to ?? '–', why]);
  return [
    changes.length === 0
      ? onlyPlanned
        ? 'Nothing would change.'
        : 'The set-up is as it should be; nothing of it was changed.'
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
