import { ActionError, hasCode } from '../values/errors';

const DAMAGED = 'layout-damaged';

/** What a layout should have, and has not, or not as it should be. */
export function damaged(root: string, digest: string, happened: string): ActionError {
  return new ActionError(
    'Backup is damaged',
    {
      doing: `reading ${digest} of the layout in ${root}`,
      happened,
      next: 'Take another copy of the layout; of this one, all images that do not need it can be restored',
    },
    { code: DAMAGED },
  );
}

/** Whether it is this one piece that is wrong, and others may be good. */
export function isDamage(error: unknown): error is ActionError {
  return hasCode(error, DAMAGED);
}
