import { rmSync } from 'node:fs';
import { LAB, LABS, labelOf, prefixOf } from '../number.ts';
import { CHECKOUT, runFolderOf } from './checkout.ts';
import { stopCloud } from './cloud.ts';
import { engineAnswers, engineIsOurs, stopEngine } from './engine.ts';
import { pruneImages } from './images.ts';
import { say } from './phases.ts';
import { attempt, docker } from './process.ts';
import { forgetAll, forgetLab, labsUp, readLab } from './state.ts';

/**
 * Ends this lab, of whatever checkout, and removes what it made on this host. What the labs share, the engine and
 * the hub, ends with the last of them. Only the cache stays; images are part of it where the engine is the labs' own,
 * and removed from an engine that was there before.
 */
export async function down(): Promise<void> {
  const isLast = labsUp().every((lab) => lab === LAB);
  await endLab(LAB);
  if (isLast) await endShared();
  say(`lab ${LAB} is down; ${isLast ? '' : 'others are up; '}the cache in .lab/cache stays`);
}

/** Ends all labs of this host. */
export async function downAll(): Promise<void> {
  for (const lab of LABS) await endLab(lab);
  await endShared();
  say('all labs are down; the cache in .lab/cache stays');
}

async function endLab(lab: number): Promise<void> {
  const state = readLab(lab);
  await stopCloud(lab);
  if (await engineAnswers()) {
    await removeContainers(labelOf(lab));
    await attempt('docker', ['network', 'rm', prefixOf(lab)]);
  }
  rmSync(runFolderOf(state?.checkout ?? CHECKOUT, lab), { recursive: true, force: true });
  forgetLab(lab);
}

async function endShared(): Promise<void> {
  if (await engineAnswers()) {
    await removeContainers('gcelab');
    if (!engineIsOurs()) await removeImages();
  }
  await stopEngine();
  forgetAll();
}

async function removeContainers(label: string): Promise<void> {
  const containers = await docker(['ps', '--all', '--quiet', '--filter', `label=${label}`]);
  const ids = containers.split('\n').filter((id) => id !== '');
  if (ids.length > 0) await docker(['rm', '--force', '--volumes', ...ids]);
}

async function removeImages(): Promise<void> {
  const images = await docker(['image', 'ls', '--format', '{{.Repository}}:{{.Tag}}', 'gcelab/*']);
  const names = images.split('\n').filter((name) => name !== '');
  if (names.length > 0) await attempt('docker', ['image', 'rm', '--force', ...names]);
  await pruneImages();
}
