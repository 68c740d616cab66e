import type { Log } from '../job/log';
import { SshConnectionLost } from '../ssh/remote-command';

/** More losses than this in one run are no accident any more. */
const MOST = 3;

/** Counts how often a run lost its connection to the instance, and lets the first few losses pass. */
export class Reconnects {
  private count = 0;
  private readonly log: Log;

  constructor(log: Log) {
    this.log = log;
  }

  /**
   * Lets a loss pass, and says what follows; the next command makes a new connection.
   *
   * @throws `loss` when it is one too many
   */
  allow(loss: unknown, next: string): void {
    if (this.count >= MOST) throw loss;
    this.count += 1;
    this.log.info(
      `The SSH connection to the instance was lost: waiting up to 90 s for a new one (${this.count} of ${MOST}), then ${next}`,
    );
  }

  /** Does what changes nothing, and does it again after each loss. */
  async retry<T>(next: string, work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof SshConnectionLost)) throw error;
        this.allow(error, next);
      }
    }
  }
}
