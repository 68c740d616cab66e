import type { Report } from '../report/outputs';
import { backupAsLayout } from './backup-layout';
import type { Run } from './run';

/** Makes a copy of what the registry has. */
export async function backup(run: Run): Promise<Report> {
  return backupAsLayout(run);
}
