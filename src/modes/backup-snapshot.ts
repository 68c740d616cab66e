import type { Outcome } from '../converge/converge';
import { whileHeld } from '../instance/remote/hold';
import { readDataDisk } from '../instance/remote/read-disk';
import { diskOf } from '../machine/data-place';
import { labelsOf } from '../machine/identity';
import { nameNow, outdatedSnapshots, takeSnapshot } from '../machine/snapshot';
import { machineChange } from '../machine/step';
import type { Report } from '../report/outputs';
import { type Connected, connectTo, needsKey } from './log-in';
import { findPlace } from './place';
import { registryAddress } from './registry-address';
import { reportOf } from './report';
import type { Run } from './run';

/** Takes a snapshot of the disk with the images, and deletes those of before that are too old. */
export async function backupSnapshot(run: Run): Promise<Report> {
  const { settings } = run;
  const site = await connectTo(run, await findPlace(run));
  const { connection, vm } = site;
  if (connection === null) throw needsKey(settings.vm.instance, 'see on which disk the images are');
  try {
    const outcome = await takeAndTidy(run, { ...site, connection });
    const snapshot = settings.dryRun ? null : outcome.state;
    return reportOf(run, vm, registryAddress(settings, vm), { outcomes: [outcome], snapshot });
  } finally {
    connection.close();
  }
}

/**
 * Takes a snapshot before something that cannot be undone, and returns its name; for modes that `snapshot-before` is said
 * of.
 */
export async function snapshotBefore(run: Run, site: Connected, before: 'prune' | 'update'): Promise<string> {
  return take(run, site, before);
}

/** The state is the name of the snapshot. */
async function takeAndTidy(run: Run, site: Connected): Promise<Outcome<string>> {
  const { settings, leases } = run;
  const { storage, vm } = site;
  const disk = diskOf(await readDataDisk(site.connection, settings.registry.dataPath), vm);
  const now = leases.now();
  const name = settings.dryRun ? nameNow(vm, now) : await take(run, site, null);
  const { keepDays } = settings.snapshots;
  const others = (await storage.listSnapshots(labelsOf(vm))).filter((each) => each.name !== name);
  const old = outdatedSnapshots(others, { keepDays, now });
  for (const each of settings.dryRun ? [] : old) await storage.deleteSnapshot(each.name);
  const changes = [
    machineChange(`snapshot ${name}`, null, `of disk ${disk.name}`, 'it is asked for'),
    ...old.map((each) =>
      machineChange(`snapshot ${each.name}`, '', null, `it is older than ${keepDays} days`),
    ),
  ];
  return { state: name, before: name, changes, notes: [] };
}

/** Other runs wait until the disk was looked at; not until Google has stored all of it. */
async function take(run: Run, site: Connected, before: 'prune' | 'update' | null): Promise<string> {
  const { settings, log, job, leases } = run;
  const { connection, storage, vm } = site;
  const disk = diskOf(await readDataDisk(connection, settings.registry.dataPath), vm);
  let stored: Promise<string> = Promise.resolve('');
  await whileHeld({ connection, log, run: job.name }, async () => {
    await new Promise<void>((onTaken, onFailure) => {
      stored = takeSnapshot({ storage, log, vm, disk, before, now: leases.now(), onTaken }).then(
        ({ name }) => name,
      );
      stored.then(() => onTaken(), onFailure);
    });
  });
  return stored;
}
