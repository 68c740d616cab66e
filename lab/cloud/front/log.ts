import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** One answered request. */
export interface LogEntry {
  /** Counts from 1. */
  readonly n: number;
  /** RFC 3339. */
  readonly time: string;
  /** `compute`, `oauth2`, `sts`, `iamcredentials`, `hub`, …; `unknown HOST` for a host that the lab does not play. */
  readonly service: string;
  readonly method: string;
  /** With the query, without the host. */
  readonly path: string;
  readonly status: number;
  readonly principal: string | null;
  readonly requestId?: string;
  /** It came with an Authorization header. */
  readonly authorized?: true;
}

/** Every request that the lab's front answered, in memory and as JSON lines in a file. */
export class Log {
  private readonly file: string;
  private readonly entries: LogEntry[] = [];

  constructor(file: string) {
    this.file = file;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, '');
  }

  add(entry: Omit<LogEntry, 'n' | 'time'>): void {
    const full = { n: this.entries.length + 1, time: new Date().toISOString(), ...entry };
    this.entries.push(full);
    appendFileSync(this.file, `${JSON.stringify(full)}\n`);
  }

  /** Entries behind number `n`, of one service or (`all`) of every one. */
  after(n: number, service: string): LogEntry[] {
    return this.entries.slice(n).filter((entry) => service === 'all' || entry.service === service);
  }

  /** Number of the last entry. */
  get last(): number {
    return this.entries.length;
  }
}
