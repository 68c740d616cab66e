import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKOUT } from './checkout.ts';
import { stopCloud } from './cloud.ts';
import { engineAnswers, engineIsOurs, stopEngine } from './engine.ts';
import { pruneImages } from './images.ts';
import { NETWORK } from './network.ts';
import { say } from './phases.ts';
import { attempt, docker } from './process.ts';
import { forgetState, readState } from './state.ts';

/**
 * Ends the running lab, of whatever checkout, and removes what it made on this host. Only the cache stays; images are
 * part of it where the engine is the lab's own, and removed from an engine that was there before.
 */
export async function down(): Promise<void> {
  const state = readState();
  await stopCloud();
  if (await engineAnswers()) {
    await removeContainers();
    await attempt('docker', ['network', 'rm', NETWORK]);
    if (!engineIsOurs()) await removeImages();
  }
  await stopEngine();
  rmSync(join(state?.checkout ?? CHECKOUT, '.lab/run'), { recursive: true, force: true });
  forgetState();
  say('down; the cache in .lab/cache stays');
}

async function removeContainers(): Promise<void> {
  const containers = await docker(['ps', '--all', '--quiet', '--filter', 'label=gcelab']);
  const ids = containers.split('\n').filter((id) => id !== '');
  if (ids.length > 0) await docker(['rm', '--force', '--volumes', ...ids]);
}

async function removeImages(): Promise<void> {
  const images = await docker(['image', 'ls', '--format', '{{.Repository}}:{{.Tag}}', 'gcelab/*']);
  const names = images.split('\n').filter((name) => name !== '');
  if (names.length > 0) await attempt('docker', ['image', 'rm', '--force', ...names]);
  await pruneImages();
}
