import { resolve } from 'node:path';
import { refuse } from './given';
import type { BackupSettings, Mode, RestoreSettings } from './types';
import type { Values } from './values';

/** Reads what a backup is, and as a layout, what it is to have, and where it goes. */
export function readBackup(values: Values, workspace: string | undefined): BackupSettings {
  return {
    to: values.get('backup-to'),
    path: folderOf(values.get('backup-path'), workspace),
    repositories: (values.get('backup-repositories') ?? []).map(({ value }) => value),
  };
}

/**
 * Reads what is restored in place of an image that is pushed.
 *
 * @throws ActionError `Invalid input`
 */
export function readRestore(
  values: Values,
  mode: Mode,
  workspace: string | undefined,
): RestoreSettings | null {
  const from = values.get('restore-from');
  const fallback = readFallback(values);
  const overwrite = values.get('restore-overwrite');
  if (from === null) return null;
  if (mode === 'bootstrap') {
    const next = 'Use `mode: deploy`, which sets up and restores, or `mode: push`, which restores alone';
    refuse(values.written('restore-from'), 'is not restored by `mode: bootstrap`', next);
  }
  if (mode !== 'deploy' && mode !== 'push') return null;
  if (values.has('image')) {
    refuse(
      values.written('restore-from'),
      'goes in place of `image`, which is set as well',
      'Set one of the two; a second step does the other',
    );
  }
  return { from: folderOf(from, workspace), fallback, overwrite };
}

/** A repository, with the tag that stands behind it, or none. */
function readFallback(values: Values): RestoreSettings['fallback'] {
  const target = values.get('restore-repository');
  if (target === null) return null;
  const written = values.written('restore-repository');
  if (target.domain !== undefined)
    refuse(written, 'names a registry', 'Leave it away: it is the one of this run');
  return { repository: target.path, tag: /:[^/]*$/.test(written.text) ? target.tag : null };
}

function folderOf(path: string, workspace: string | undefined): string {
  return resolve(workspace ?? '', path);
}
