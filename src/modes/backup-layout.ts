import { type BackupList, listForBackup } from '../instance/images/backup-list';
import { readContents } from '../instance/images/list';
import { waitForAll } from '../job/wait-for-all';
import { type Exported, exportLayout } from '../layout/export';
import { CANARY_REPOSITORY } from '../registry/canary';
import { waitUntilAnswered } from '../registry/reach';
import { byRepository, type LayoutReport, layoutLine } from '../report/layout';
import type { Report } from '../report/outputs';
import { ActionError } from '../values/errors';
import { show } from '../values/show';
import { connectTo, needsKey, type Site } from './log-in';
import { openTransfer } from './open-transfer';
import { findPlace } from './place';
import { type RegistryAddress, registryAddress } from './registry-address';
import { reportOf } from './report';
import type { Run } from './run';
import { enter } from './standing-registry';
import { endpointOf } from './tls';
import { openWay, type Way } from './way';

/**
 * Copies images to this runner, as an OCI image layout. What there is, is read on the instance: the registry's own API
 * does not say what only a digest names.
 */
export async function backupAsLayout(run: Run): Promise<Report> {
  const { settings, log } = run;
  const site = await connectTo(run, await findPlace(run));
  const { connection, vm } = site;
  if (connection === null) throw needsKey(settings.vm.instance, 'see what a backup would copy');
  try {
    const address = registryAddress(settings, vm);
    const contents = await readContents(connection);
    const list = listForBackup(contents, settings.backup.repositories, CANARY_REPOSITORY);
    const layout = settings.dryRun ? planned(run, list) : await copy(run, site, address, list);
    log.info(layoutLine(layout, settings.dryRun));
    return reportOf(run, vm, address, { layout });
  } finally {
    connection.close();
  }
}

function planned({ settings, log }: Run, list: BackupList): LayoutReport {
  for (const { repository, tag, digest } of list.images)
    log.info(`would copy ${repository}${tag === null ? '' : `:${tag}`} ${digest}`);
  const notes = [...list.notes, ...list.broken.map((image) => `${image} cannot be copied`)];
  for (const note of notes) log.warning(note);
  return {
    kind: 'backup',
    path: settings.backup.path,
    repositories: byRepository(list.images),
    bytes: [...list.parts.values()].reduce((sum, bytes) => sum + bytes, 0),
    movedBytes: 0,
    notes,
  };
}

async function copy(run: Run, site: Site, address: RegistryAddress, list: BackupList): Promise<LayoutReport> {
  const { settings, log, sleep } = run;
  const { path, repositories } = settings.backup;
  if (list.images.length + list.broken.length === 0 && repositories.length > 0) throw nothing(repositories);
  const [ca, way] = await waitForAll<[string | null, Way]>([enter(run, site), openWay(run, site, address)]);
  await waitUntilAnswered(way, log, sleep);
  const transfer = openTransfer(await endpointOf(settings, way, ca), run, way);
  try {
    const tools = { ...transfer, onImage: (image: string) => log.info(image) };
    const exported = await log.group(`Images, and where they are in ${path}`, () =>
      exportLayout(path, address.registry, list.images, list.parts, tools),
    );
    const notes = [...list.notes, ...exported.notes];
    for (const note of notes) log.warning(note);
    for (const hint of exported.hints) log.info(hint);
    requireComplete(path, list, exported);
    return {
      kind: 'backup',
      path,
      repositories: byRepository(exported.written),
      bytes: exported.bytes,
      movedBytes: exported.downloadedBytes,
      notes: [...notes, ...exported.hints],
    };
  } finally {
    transfer.close();
  }
}

/** A slip in a glob is not to take an earlier copy away. */
function nothing(globs: readonly string[]): ActionError {
  return new ActionError('Nothing to back up', {
    doing: `looking for images that fit ${show(globs.join(', '), 200)}`,
    happened: 'the registry has none',
    next: 'Correct `backup-repositories`; nothing was copied, and what `backup-path` holds is as it was',
  });
}

/** A backup that lacks something is not taken for a good one. */
function requireComplete(path: string, list: BackupList, exported: Exported): void {
  const broken = [...list.broken, ...exported.broken];
  if (broken.length === 0) return;
  const more = broken.length > 10 ? `; and ${broken.length - 10} more` : '';
  throw new ActionError('Backup is not complete', {
    doing: `copying ${list.images.length + list.broken.length} images to ${path}`,
    happened: `the registry cannot serve ${broken.length} of them: ${broken.slice(0, 10).join('; ')}${more}`,
    next: `The layout has the ${exported.written.length} others, whole. Push those again or delete them, or leave their repositories out with \`backup-repositories\``,
  });
}
