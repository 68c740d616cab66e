import { carryOut, type Outcome, survey } from '../converge/converge';
import { messageOf } from '../errors';
import type { Facts } from '../instance/facts';
import type { Run } from '../run';
import type { SshConnection } from '../ssh/connection';
import { siteInstance } from './site';

/** Sees to an instance that was set up by this run and then came to harm, as when somebody killed the registry. */
export class Mender {
  /** What was done. */
  readonly outcomes: Outcome<Facts>[] = [];
  private work: Promise<void> | null = null;
  private readonly run: Run;
  private readonly connection: SshConnection | null;

  constructor(run: Run, connection: SshConnection | null) {
    this.run = run;
    this.connection = connection;
  }

  /**
   * Reads the instance again, and sets up what is not as it was. What comes in its way is only logged: whoever calls
   * has an error already. Who calls meanwhile waits for the same look.
   */
  mend(): Promise<void> {
    this.work ??= this.look().finally(() => {
      this.work = null;
    });
    return this.work;
  }

  private async look(): Promise<void> {
    const { log } = this.run;
    if (this.connection === null) return;
    log.info('Looking whether the registry runs');
    try {
      const found = await survey(siteInstance(this.run, this.connection), log);
      if (found.plan.steps.length > 0) this.outcomes.push(await carryOut(found));
    } catch (error) {
      log.info(`The instance could not be set up again: ${messageOf(error)}`);
    }
  }
}
