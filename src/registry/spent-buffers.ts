import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** What may pile up before it is freed, in bytes, of all downloads together. */
const HEAP_OF_SPENT = 2 * 1024 * 1024;

/**
 * Frees buffers that downloads are done with, as they go: to be called with the size of each.
 *
 * V8 sees no more of a Buffer than the small object in its young generation, which takes thousands of them to fill,
 * and heeds the memory behind them only from 64 MB on (kExternalAllocationSoftLimit in its heap). Reading 500 MB and
 * keeping nothing would make the process 120 MB larger; so the young generation is collected every few megabytes,
 * which takes a fraction of a millisecond. Where this Node has no way to ask for that, nothing else changes.
 */
export function spentBuffer(bytes: number): void {
  spent += bytes;
  if (spent < HEAP_OF_SPENT) return;
  spent = 0;
  collector ??= youngCollector();
  collector({ type: 'minor' });
}

let collector: Collect | null = null;
let spent = 0;

type Collect = (options: { readonly type: 'minor' }) => void;

function youngCollector(): Collect {
  setFlagsFromString('--expose-gc');
  // The flag is heeded by contexts that are made after it.
  const collect: unknown = runInNewContext('typeof gc === "function" ? gc : null');
  return typeof collect === 'function' ? (collect as Collect) : () => undefined;
}
