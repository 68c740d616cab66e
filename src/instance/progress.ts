import type { Log } from '../log';

/** A step that failed. */
export interface StepFailure {
  /** Index in the plan. */
  readonly step: number;
  readonly status: number;
  /** The end of its output. */
  readonly lastLines: readonly string[];
}

const KEPT_LINES = 15;

/**
 * Turns the lines that scripts/apply.sh prints into log groups, one a step, while they arrive. The marks bear a token
 * that no other program on the instance knows.
 */
export class ProgressPrinter {
  /** Set when a step ended with a status other than 0. */
  failure: StepFailure | null = null;
  /** Set when the first step began. */
  started = false;
  /** Set when another run was changing the instance: the steps were not run. */
  waited = false;
  /** Set when that run held the lock for too long. */
  locked = false;

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
      } else if (this.mark(line, 'waiting') !== null) {
        this.waited = true;
        this.log.info('Another run is changing this instance: waiting for it to end, up to 15 min');
      } else if (this.mark(line, 'locked') !== null) this.locked = true;
    }
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
        if (line !== '') batch.push(line);
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
