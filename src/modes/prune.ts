import { asPlanned, converge, type Outcome, survey } from '../converge/converge';
import type { Contents } from '../instance/images/contents';
import { type PrunePlan, tagsThatGo } from '../instance/images/prune-plan';
import { type Images, imagesTarget, planOf } from '../instance/images/target';
import type { Report } from '../report/outputs';
import { type PruneReport, pruneLog } from '../report/prune';
import type { SshConnection } from '../ssh/connection';
import { ActionError } from '../values/errors';
import { connectTo } from './log-in';
import { findPlace } from './place';
import { registryAddress } from './registry-address';
import { reportOf } from './report';
import type { Run } from './run';

/** Deletes the images that no rule keeps, and gives their space on the disk back. Pulls and pushes go on. */
export async function prune(run: Run): Promise<Report> {
  const { settings } = run;
  const { connection, vm } = await connectTo(run, await findPlace(run));
  if (connection === null) throw needsKey(settings.vm.instance);
  try {
    const { outcome, pruned } = await pruneImages(run, connection);
    return reportOf(run, vm, registryAddress(settings, vm), { outcomes: [outcome], pruned });
  } finally {
    connection.close();
  }
}

/** What came of it. */
export interface Pruned {
  readonly outcome: Outcome<Images>;
  readonly pruned: PruneReport;
}

/** The same over a connection that stands; a dry run plans it. */
export async function pruneImages(run: Run, connection: SshConnection): Promise<Pruned> {
  const { settings, log } = run;
  const options = {
    connection,
    log,
    run: run.job.name,
    user: settings.ssh.user,
    retention: settings.retention,
    begun: run.leases.now() / 1000,
  };
  const surveyed = await survey(imagesTarget(options), run);
  const before = surveyed.state.contents;
  const plan = planOf(surveyed.state, options);
  const lines = pruneLog(reportOn(plan, before, before));
  await log.group('Tags, and why they stay', async () => {
    for (const line of lines) log.info(line);
  });
  const outcome = settings.dryRun ? asPlanned(surveyed) : await converge(surveyed);
  for (const note of outcome.notes) log.warning(note);
  return { outcome, pruned: reportOn(plan, before, settings.dryRun ? before : outcome.state.contents) };
}

/** What went is what is not there any more; of a plan, what would go. */
function reportOn(plan: PrunePlan, before: Contents, after: Contents): PruneReport {
  const left = new Map(after.repositories.map(({ name, tags }) => [name, tags]));
  const isPlanned = before === after;
  const wentOf = (name: string, tag: string, why: string | null) =>
    isPlanned ? why : left.get(name)?.has(tag) ? (why ?? 'it was pushed to meanwhile') : null;
  const repositories = plan.kept.map(({ name, rule, tags, manifests }) => {
    const tagged = new Set(
      [...(before.repositories.find((each) => each.name === name)?.tags.values() ?? [])].map(
        ({ digest }) => digest,
      ),
    );
    return {
      name,
      rule,
      tags: [...tags].map(([tag, why]) => ({ name: tag, kept: wentOf(name, tag, why) })),
      untagged: [...manifests].filter(([digest, why]) => why === null && !tagged.has(digest)).length,
    };
  });
  const pushed = [...after.blobs].filter(([digest]) => !before.blobs.has(digest));
  const freed = pushed.reduce((sum, [, bytes]) => sum + bytes, before.disk.images - after.disk.images);
  return {
    repositories,
    deleted: isPlanned ? tagsThatGo(plan) : repositories.flatMap(goneOf).length,
    freedBytes: isPlanned ? plan.freedBytes : Math.max(0, freed),
    laterBytes: plan.laterBytes,
    disk: { size: before.disk.size, usedBefore: before.disk.used, usedAfter: after.disk.used },
    heldMs: isPlanned || after.last === before.last ? null : (after.last?.heldMs ?? null),
  };
}

function goneOf({ tags }: PruneReport['repositories'][number]): string[] {
  return tags.flatMap(({ name, kept }) => (kept === null ? [name] : []));
}

function needsKey(instance: string): ActionError {
  return new ActionError('A dry run needs a key', {
    doing: `logging in to ${instance} to see what a prune would delete`,
    happened: 'a dry run changes nothing, so it makes no key of its own',
    next: 'Set `ssh-private-key` to a key that the instance accepts',
  });
}
