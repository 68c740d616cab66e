import type { Log } from '../../job/log';
import { excerpt } from '../../values/show';
import { type FrontReplacement, frontReplacement } from './front-replacement';

/** A step that failed. */
export interface StepFailure {
  /** Index in the plan. */
  readonly step: number;
  readonly status: number;
  /** The end of its output. */
  readonly lastLines: readonly string[];
}

/** What apt could not fetch is said long before what then cannot be installed. */
const KEPT_LINES = 200;

/**
 * Turns the lines that scripts/apply.sh prints into log groups, one a step, while they arrive. The marks bear a token
 * that no other program on the instance knows.
 */
export class ProgressPrinter {
  /** Set when a step ended with a status other than 0. */
  failure: StepFailure | null = null;
  /** Set when the first step began. */
  started = false;
  /** Set when another run has changed the instance since the plan was made: the steps were not run. */
  outdated = false;
  /** Set when that run held the lock for too long. */
  locked = false;
  /** Set when a step replaced the container of the front. */
  front: FrontReplacement | null = null;

  private readonly queue: string[] = [];
  private ended = false;
  private wake: () => void = () => undefined;
  private readonly token: string;
  private readonly titles: readonly string[];
  private readonly log: Log;

  constructor(token: string, titles: readonly string[], log: Log) {
    this.token = token;
    this.titles = titles;
    this.log = log;
  }

  /** Takes one line of output. */
  push(line: string): void {
    this.queue.push(line);
    this.wake();
  }

  /** No more lines come. */
  end(): void {
    this.ended = true;
    this.wake();
  }

  /** Prints until `end`. */
  async print(): Promise<void> {
    for (;;) {
      const line = await this.next();
      if (line === null) return;
      const begin = this.mark(line, 'begin');
      if (begin !== null) {
        this.started = true;
        await this.printStep(Number(begin));
      } else this.printTurn(line);
    }
  }

  /** What the script says of other runs; each mark is followed by the name of one, which is not trusted. */
  private printTurn(line: string): void {
    const [waiting, outdated, awaited] = ['waiting', 'outdated', 'awaited'].map((name) =>
      this.mark(line, name),
    );
    if (waiting != null)
      this.log.info(
        `Another run (${excerpt(waiting)}) is changing this instance: waiting for it to end, up to 15 min`,
      );
    if (outdated != null) {
      this.outdated = true;
      this.log.info(`Another run (${excerpt(outdated)}) has changed this instance since it was read`);
    }
    if (awaited != null)
      this.log.info(
        `Another run (${excerpt(awaited)}) waits for this one to end, and then changes whatever it wants otherwise`,
      );
    if (this.mark(line, 'locked') !== null) this.locked = true;
  }

  private async printStep(step: number): Promise<void> {
    await this.log.group(this.titles[step] ?? `step ${step}`, async () => {
      const started = Date.now();
      const status = await this.printOutput(step);
      if (status === null) return;
      const seconds = ((Date.now() - started) / 1000).toFixed(1);
      this.log.info(status === 0 ? `Done in ${seconds} s` : `Failed after ${seconds} s`);
    });
  }

  /** Prints the output of a step, as much at a time as is there; returns its status, null when it was cut off. */
  private async printOutput(step: number): Promise<number | null> {
    let lastLines: string[] = [];
    for (;;) {
      const first = await this.next();
      if (first === null) return null;
      const batch: string[] = [];
      let end: string | null = null;
      for (let line: string | undefined = first; line !== undefined; line = this.queue.shift()) {
        end = this.mark(line, 'end');
        if (end !== null) break;
        const front = this.mark(line, 'front');
        if (front !== null) this.front = frontReplacement(front);
        else if (line !== '') batch.push(line);
      }
      if (batch.length > 0) this.log.foreign(batch.join('\n'));
      lastLines = [...lastLines, ...batch].slice(-KEPT_LINES);
      if (end === null) continue;
      const status = Number(end.split(' ')[1]);
      if (status !== 0) this.failure = { step, status, lastLines };
      return status;
    }
  }

  /** What follows `TOKEN NAME ` on a line; null for any other line. */
  private mark(line: string, name: string): string | null {
    const prefix = `${this.token} ${name}`;
    return line === prefix || line.startsWith(`${prefix} `) ? line.slice(prefix.length + 1) : null;
  }

  private async next(): Promise<string | null> {
    while (this.queue.length === 0) {
      if (this.ended) return null;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    return this.queue.shift() ?? null;
  }
}
