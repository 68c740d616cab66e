import type { Log } from '../job/log';
import type { Step } from './change';
import { Reconnects } from './reconnects';
import type { Target } from './target';

/**
 * Reads a target: once more after a loss of the connection, and after whoever is changing it has ended. In the middle
 * of another run's changes a target can look as if nothing could mend it.
 */
export function readSettled<State, S extends Step>(
  target: Target<State, S>,
  log: Log,
  reconnects = new Reconnects(log),
): Promise<State> {
  return reconnects.retry('reading it again', async () => {
    const state = await target.read();
    if (target.wait === undefined || !target.isBusy?.(state)) return state;
    return target.wait();
  });
}
