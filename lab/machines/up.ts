import { GATEWAY } from '../cloud/names.ts';
import { ensureEngine } from './engine.ts';
import { ensureHost } from './host.ts';
import { recreateInstance } from './instance.ts';
import type { Kind } from './kinds.ts';
import { ensureNetwork } from './network.ts';
import { phase } from './phases.ts';

export interface UpOptions {
  readonly instances: number;
  readonly kind: Kind;
}

export async function up(options: UpOptions): Promise<void> {
  await ensureHost();
  await phase('Docker engine', ensureEngine);
  await phase('network', () => ensureNetwork(GATEWAY));
  await phase('registry-1', () => recreateInstance('registry-1', options.kind));
}
