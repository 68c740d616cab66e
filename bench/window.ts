// How long pushes are held while a prune deletes half of what there is, by the number of blobs: as a client sees it that asks
// for a layer again and again. And how long the whole step takes.
import { setTimeout as sleep } from 'node:timers/promises';
import { bare, type Ground, ownLogin } from './ground.ts';
import { action, environment, on } from './lab.ts';
import { putImages } from './many-images.ts';
import { limit, type Row } from './table.ts';

const BLOBS_OF_AN_IMAGE = 6;
/** So many blobs are to be pruned within so many seconds. */
const BOUNDED = 12_000;
const MOST_SECONDS = 10;
const SIZES = [600, BOUNDED, 50_000, 100_000];

export async function window(ground: Ground): Promise<Row[]> {
  await bare(ground);
  const env = await environment();
  const host = String(env.LAB_HOST_ADDRESS).replace(/\.\d+$/, '.0/24');
  const own = await ownLogin(ground);
  const inputs = { ...own, 'source-ranges': `${own['source-ranges']},${host}` };
  await action({ ...inputs, mode: 'bootstrap' });
  const rows: Row[] = [];
  for (const size of SIZES) {
    await putImages(
      ground.instance,
      `${env.LAB_CONTAINER_PREFIX}${ground.instance}`,
      size / BLOBS_OF_AN_IMAGE,
    );
    await on(ground.instance, 'sync');
    const { held, seconds, memoryMiB } = await pruned(ground.ip, inputs);
    const row = limit(`pushes held, ${size} blobs`, held, MOST_SECONDS, (value) => `${value.toFixed(1)} s`);
    const other = `the step ${seconds.toFixed(1)} s, ${memoryMiB.toFixed(0)} MiB of memory`;
    rows.push(size === BOUNDED ? { ...row, other } : { ...row, other, target: '', met: null });
  }
  return rows;
}

async function pruned(ip: string, inputs: Readonly<Record<string, string>>) {
  const state = { over: false, held: 0 };
  const asking = (async () => {
    while (!state.over) {
      const started = performance.now();
      await fetch(`http://${ip}:5000/v2/ask/er/blobs/sha256:${'0'.repeat(64)}`, { method: 'HEAD' });
      state.held = Math.max(state.held, (performance.now() - started) / 1000);
      await sleep(20);
    }
  })();
  try {
    const seen = await action({ ...inputs, mode: 'prune', 'keep-within': '30d' });
    if (seen.outputs.deleted === '0') throw new Error('the prune deleted nothing');
    return { held: state.held, seconds: seen.seconds, memoryMiB: seen.memoryMiB };
  } finally {
    state.over = true;
    await asking;
  }
}
