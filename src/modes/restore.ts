import { asPlanned, converge, type Outcome, survey } from '../converge/converge';
import type { Instance } from '../google/compute';
import { missingParts } from '../instance/images/complete';
import { readContents } from '../instance/images/list';
import { instanceStep } from '../instance/plan/steps';
import { applyPlan } from '../instance/remote/apply';
import { readDataDisk } from '../instance/remote/read-disk';
import { readFacts } from '../instance/remote/read-facts';
import { restoreTarget } from '../machine/restore-target';
import type { MachineAction } from '../machine/step';
import type { Report } from '../report/outputs';
import type { SshConnection } from '../ssh/connection';
import type { Site } from './log-in';
import { registryAddress } from './registry-address';
import { reportOf } from './report';
import type { Run } from './run';

type Restored = Outcome<unknown> | null;

/** Sees to it that the data is that of a snapshot, where the settings ask for it; null where they do not. */
export async function restoreData(run: Run, site: Site): Promise<Restored> {
  const { settings, log } = run;
  const from = settings.snapshots.restore;
  if (from === null) return null;
  const { connection, compute, storage } = site;
  if (connection === null) {
    log.notice('data-disk-snapshot was not looked at: whether the images are there is read on the instance');
    return null;
  }
  const target = restoreTarget({
    compute,
    storage,
    from,
    readPlace: () => readDataDisk(connection, settings.registry.dataPath),
    mount: (action) => mountDisk(run, connection, action),
  });
  const surveyed = await survey(target, run);
  return settings.dryRun ? asPlanned(surveyed) : converge(surveyed);
}

/** What else a run would do is seen when the images are there. */
export function isOnlyPlanned({ settings }: Run, restored: Restored): boolean {
  return settings.dryRun && (restored?.changes.length ?? 0) > 0;
}

/** The report of a dry run that would restore the images first. */
export function restorePlanned(run: Run, vm: Instance, restored: Restored): Report {
  run.log.notice('What is planned after that is seen in a run that has restored the images');
  return reportOf(run, vm, registryAddress(run.settings, vm), { outcomes: [restored] });
}

/**
 * Looks whether all that the manifests of restored images refer to is there, and says what is not; null where nothing was
 * restored.
 */
export async function checkRestored(
  { log, settings }: Run,
  { connection }: Site,
  restored: Restored,
): Promise<Restored> {
  if (restored === null || restored.changes.length === 0 || connection === null || settings.dryRun)
    return null;
  const contents = await readContents(connection);
  const missing = missingParts(contents);
  const count = contents.repositories.reduce((sum, { revisions }) => sum + revisions.size, 0);
  const notes = [
    missing.length === 0
      ? `restored: all that the ${count} manifests of ${contents.repositories.length} repositories refer to is there`
      : `restored: of ${missing.length} manifests something is missing: ${listed(missing)}`,
  ];
  for (const note of notes) missing.length === 0 ? log.info(note) : log.warning(note);
  return { state: null, before: null, changes: [], notes };
}

function listed(missing: readonly { readonly image: string; readonly digests: readonly string[] }[]): string {
  const lines = missing.slice(0, 50).map(({ image, digests }) => `${image} lacks ${digests.join(', ')}`);
  return [...lines, ...(missing.length > 50 ? [`and ${missing.length - 50} more`] : [])].join('; ');
}

/** False where another run has changed the instance since it was looked at. */
async function mountDisk(
  { settings, log, job }: Run,
  connection: SshConnection,
  { device, mount, path }: Extract<MachineAction, { kind: 'mount-disk' }>,
): Promise<boolean> {
  const factsArguments = [settings.ssh.user, settings.registry.dataPath ?? '', 'false'];
  const { facts } = await readFacts(connection, factsArguments, () => undefined);
  const step = instanceStep(
    { kind: 'mount-disk', device, mount, dataPath: path },
    `file system at ${mount}`,
    null,
    `disk ${device}`,
    'the data is to be there',
  );
  const { outdated } = await applyPlan({
    connection,
    log,
    run: job.name,
    factsArguments,
    plan: { steps: [step], notes: [] },
    turn: facts.lock.turn,
    compose: null,
    users: null,
    clockAhead: facts.clockAhead,
  });
  return !outdated;
}
