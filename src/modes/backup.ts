import type { Report } from '../report/outputs';
import { backupAsLayout } from './backup-layout';
import { backupSnapshot } from './backup-snapshot';
import type { Run } from './run';

/** Makes a copy of the images, where backup-to says. */
export async function backup(run: Run): Promise<Report> {
  return run.settings.backup.to === 'snapshot' ? backupSnapshot(run) : backupAsLayout(run);
}
