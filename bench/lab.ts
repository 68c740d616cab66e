import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What `bin/lab action --json` saw of one run from outside; docs/lab.md describes it. */
export interface Seen {
  readonly exitCode: number;
  readonly seconds: number;
  readonly memoryMiB: number;
  readonly outputs: Readonly<Record<string, string>>;
  readonly maskedLog: string;
  readonly later: { readonly output: string } | null;
}

/** Where bin/lab mounts this checkout on the runner machine. */
export const CHECKOUT = '/home/runner/work/_actions/lab/gce-registry-action/main';

/** Runs `bin/lab`, and returns what it printed. @throws Error with that when it fails */
export function lab(args: readonly string[], stdin = ''): Promise<string> {
  return new Promise((done, fail) => {
    const child = spawn('bin/lab', args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', fail);
    child.on('close', (status) => {
      if (status === 0) done(stdout);
      else fail(new Error(`bin/lab ${args[0]} ended with ${status}:\n${stdout}${stderr}`));
    });
    child.stdin.end(stdin);
  });
}

/** Runs a Bash script as root on a machine of the lab, and returns its output without the newline at the end. */
export async function on(machine: string, script: string): Promise<string> {
  const strict = `set -euo pipefail\n${script}\n`;
  return (await lab(['exec', machine, '--', 'bash', '-s'], strict)).trimEnd();
}

/** Runs a Bash command as the runner's user on the runner machine, and returns how many seconds it took there. */
export async function timedOnRunner(command: string): Promise<number> {
  const timed = `TIMEFORMAT=%R; { time { ${command}\n} >/tmp/bench.log 2>&1 </dev/null; } 2>&1 || { cat /tmp/bench.log; exit 1; }`;
  const user = ['runuser', '-u', 'runner', '--', 'bash', '-euo', 'pipefail', '-c', timed];
  const output = await lab(['exec', 'runner', '--', ...user]);
  return Number(output.trim());
}

const memory: number[] = [];

/** The largest resident set, in MiB, that a main step had since this program began. */
export function largestMemory(): number {
  return Math.max(...memory);
}

/** Runs the action on the runner machine; it has to succeed. */
export async function action(
  inputs: Readonly<Record<string, string>>,
  flags: readonly string[] = [],
): Promise<Seen> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-'));
  const file = join(directory, 'seen.json');
  try {
    const values = Object.entries(inputs).map(([name, value]) => `${name}=${value}`);
    await lab(['action', '--json', file, ...flags, ...values]);
    const seen = JSON.parse(readFileSync(file, 'utf8')) as Seen;
    // What a prune needs grows with what the registry has; its part says how.
    if (inputs.mode !== 'prune') memory.push(seen.memoryMiB);
    return seen;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The variables that `bin/lab env` exports. */
export async function environment(): Promise<Record<string, string>> {
  const lines = (await lab(['env'])).matchAll(/^export (\w+)='(.*)'$/gm);
  return Object.fromEntries([...lines].map(([, name, value]) => [name, value]));
}

/** A request to the lab's cloud, as its owner. */
export function control<T>(socketPath: string, method: string, path: string): Promise<T> {
  return new Promise((done, fail) => {
    const message = request({ socketPath, method, path }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('error', fail);
      response.on('end', () => {
        if (response.statusCode === 200) done(JSON.parse(text || 'null') as T);
        else fail(new Error(`${method} ${path}: ${response.statusCode} ${text}`));
      });
    });
    message.on('error', fail);
    message.end();
  });
}
