import type { Log } from '../../job/log';
import { SshConnectionLost } from '../../ssh/remote-command';

/** More losses than this in one run are no accident any more. */
const MOST = 3;

/** The losses of the SSH connection in one run, of which a few are tolerated. */
export class Losses {
  private count = 0;
  private readonly log: Log;

  constructor(log: Log) {
    this.log = log;
  }

  /**
   * Lets the loss of the connection pass, and says what follows; the next command makes a new connection.
   *
   * @throws `error` when it is another one, or one too many
   */
  tolerate(error: unknown, next: string): void {
    if (!(error instanceof SshConnectionLost) || this.count >= MOST) throw error;
    this.count += 1;
    this.log.info(
      `The SSH connection to the instance was lost: waiting up to 90 s for a new one (${this.count} of ${MOST}), then ${next}`,
    );
  }

  /** Does what changes nothing, again after each loss. */
  async again<T>(next: string, work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        this.tolerate(error, next);
      }
    }
  }
}
