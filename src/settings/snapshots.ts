import { refuse } from './given';
import type { SnapshotSettings } from './types';
import type { Values } from './values';

/**
 * Reads what is said of snapshots.
 *
 * @throws ActionError `Invalid input`
 */
export function readSnapshots(values: Values): SnapshotSettings {
  const restore = values.get('data-disk-snapshot');
  if (restore !== null && values.get('data-path') === null) {
    refuse(
      values.written('data-disk-snapshot'),
      'needs `data-path`, where its disk is mounted',
      'Set `data-path`, such as /srv/registry',
    );
  }
  return {
    schedule: values.get('snapshot-schedule'),
    keepDays: values.get('snapshot-keep-days'),
    before: values.get('snapshot-before'),
    restore,
  };
}
