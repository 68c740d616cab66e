import { converge, type Outcome, survey } from '../converge/converge';
import type { Facts } from '../instance/facts/facts';
import { requireRoomForImages } from '../instance/plan/disk-space';
import type { SshConnection } from '../ssh/connection';
import { messageOf } from '../values/errors';
import type { Site } from './log-in';
import type { Run } from './run';
import { siteInstance } from './survey';

/**
 * Sees to an instance that was set up by this run and then came to harm while the image is pushed, as when somebody
 * killed the registry.
 */
export class RepairDuringPush {
  /** What was done. */
  readonly outcomes: Outcome<Facts>[] = [];
  private work: Promise<void> | null = null;
  private readonly run: Run;
  private readonly site: Pick<Site, 'vm' | 'connection'>;

  constructor(run: Run, site: Pick<Site, 'vm' | 'connection'>) {
    this.run = run;
    this.site = site;
  }

  /**
   * Reads the instance again, and sets up what is not as it was. What comes in its way is only logged: whoever calls
   * has an error already. Who calls meanwhile waits for the same look.
   *
   * @throws ActionError `Registry disk is full`: no further try would help
   */
  readonly repair = (): Promise<void> => {
    this.work ??= this.look().finally(() => {
      this.work = null;
    });
    return this.work;
  };

  private async look(): Promise<void> {
    const { connection } = this.site;
    if (connection === null) return;
    this.run.log.info('Looking whether the registry runs');
    const facts = await this.setUpAgain(connection);
    if (facts !== null) requireRoomForImages(facts);
  }

  /** Returns the facts of before; null where they could not be read, or what they call for not be done. */
  private async setUpAgain(connection: SshConnection): Promise<Facts | null> {
    const { log } = this.run;
    try {
      const found = await survey(siteInstance(this.run, this.site.vm, connection), this.run);
      if (found.plan.steps.length > 0) this.outcomes.push(await converge(found));
      return found.state;
    } catch (error) {
      log.info(`The instance could not be set up again: ${messageOf(error)}`);
      return null;
    }
  }
}
