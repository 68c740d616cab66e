import { ActionError, messageOf } from '../values/errors';
import { show } from '../values/show';

/** A folder that no layout can be written into. */
export function noPlace(root: string, happened: string, cause?: unknown): ActionError {
  return new ActionError(
    'No place for a backup',
    {
      doing: `writing the layout into ${show(root, 300)}`,
      happened,
      next: 'Set `backup-path` to a folder of its own, which this step may make and write into',
    },
    { cause },
  );
}

/** A disk that has no room for a layout. */
export function noRoom(root: string, happened: string, cause?: unknown): ActionError {
  return new ActionError(
    'The runner’s disk is too small',
    {
      doing: `writing the layout into ${show(root, 300)}`,
      happened,
      next: 'Name fewer images in `backup-repositories`, prune before, or set `backup-path` to a larger disk; what is there is not fetched again',
    },
    { cause },
  );
}

/** What the system says of writing, for people; any other error is itself. */
export function ofDisk(root: string, error: unknown): unknown {
  if (typeof error !== 'object' || error === null || !('code' in error) || !('syscall' in error))
    return error;
  const isFull = error.code === 'ENOSPC' || error.code === 'EDQUOT';
  return isFull ? noRoom(root, messageOf(error), error) : noPlace(root, messageOf(error), error);
}
