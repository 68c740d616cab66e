import { ActionError } from '../errors';
import { fullDisk } from '../instance/preconditions';
import type { Run } from '../run';
import { type Site, siteInstance } from '../site/site';

/**
 * The error for a push that failed: a registry whose disk is full answers 500 like any other that fails, so the
 * instance is asked. Where it says nothing of use, the error stays as it is.
 */
export async function explainedPush(run: Run, site: Site, error: unknown): Promise<unknown> {
  if (site.connection === null || !(error instanceof ActionError)) return error;
  const facts = await siteInstance(run, site.connection)
    .read()
    .catch(() => null);
  const disk = facts === null ? null : fullDisk(facts);
  if (disk === null) return error;
  return new ActionError(
    'Registry disk is full',
    {
      doing: error.problem.doing,
      happened: `the disk at ${disk.mount} of the instance has ${Math.floor(disk.available / 2 ** 20)} MiB and ${disk.inodesAvailable} inodes free: ${error.problem.happened}`,
      next: 'Delete images and collect the garbage of the registry, or enlarge the disk; then run again',
    },
    { cause: error },
  );
}
