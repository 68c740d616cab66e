import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { LabError } from '../process.ts';
import { asRunner } from './runner-access.ts';

/** What a worker is asked to run: a script with Node. */
export interface WorkerStep {
  /** For the step's process id and usage. */
  readonly folder: string;
  readonly directory: string;
  readonly script: string;
  readonly variables: Readonly<Record<string, string>>;
}

/**
 * The process on the runner machine that lives as long as a job, and is the parent of its steps: `gcelab-worker`, in
 * place of GitHub's Runner.Worker. What it is told, secrets too, goes over its standard input.
 */
export class Worker {
  readonly #child: ChildProcess;
  #print: (line: string) => void = () => undefined;
  #finish: (status: number) => void = () => undefined;
  #token = '';

  constructor() {
    this.#child = spawn('docker', asRunner(['gcelab-worker']), {
      stdio: ['pipe', 'pipe', 'inherit'],
      // A signal to the lab's process group is for the step, which is told of it in its own way.
      detached: true,
    });
    this.#child.stdin?.on('error', () => undefined);
    this.#child.on('close', () => this.#finish(255));
    this.#read();
  }

  /** Runs a step, and returns its status; lines for the log go to `print` as they come. */
  run({ folder, directory, script, variables }: WorkerStep, print: (line: string) => void): Promise<number> {
    const pairs = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
    return this.#ask('step', [folder, directory, script, ...pairs], print);
  }

  /** Ends what the job has left behind, as at the end of a job. */
  clean(trackingId: string, print: (line: string) => void): Promise<number> {
    return this.#ask('end', [trackingId], print);
  }

  /** Ends it, and nothing else. */
  end(): void {
    this.#child.stdin?.end();
  }

  #ask(verb: string, words: readonly string[], print: (line: string) => void): Promise<number> {
    this.#token = randomBytes(12).toString('hex');
    this.#print = print;
    const line = [verb, this.#token, ...words].map((word) => Buffer.from(word).toString('hex')).join(' ');
    return new Promise((done) => {
      this.#finish = done;
      this.#child.stdin?.write(`${line}\n`);
    });
  }

  /** The empty line before the token is the worker's. */
  #read(): void {
    const { stdout } = this.#child;
    if (stdout === null) throw new LabError('The worker has no output');
    let held = false;
    createInterface({ input: stdout, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (line) => {
      const [token, status] = line.split(' ');
      if (token === this.#token) {
        held = false;
        this.#finish(Number(status));
        return;
      }
      if (held) this.#print('');
      held = line === '';
      if (!held) this.#print(line);
    });
  }
}
