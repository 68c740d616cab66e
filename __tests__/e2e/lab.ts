import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type ClientRequest, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a command left behind. */
export interface Result {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What was seen of one run of the action from outside: `bin/lab action --json`. */
export interface Seen {
  readonly exitCode: number;
  readonly seconds: number;
  /** The most that the main step had in use. */
  readonly memoryMiB: number;
  readonly outputs: Record<string, string>;
  readonly state: Record<string, string>;
  readonly summary: string;
  readonly annotations: readonly { readonly level: string; readonly message: string }[];
  readonly maskedLog: string;
  /** What `--later` ran; null without it. */
  readonly later: { readonly exitCode: number; readonly output: string } | null;
  readonly ssh: { readonly connections: number; readonly commands: number };
  readonly api: readonly { readonly method: string; readonly path: string; readonly status: number }[];
}

/** Runs a command on this machine, without a shell. */
export function run(
  command: string,
  args: readonly string[],
  stdin = '',
  env = process.env,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout, stderr }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(stdin);
  });
}

/** Runs `bin/lab`, which has to succeed, and returns what it printed. */
export async function lab(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await run('bin/lab', args);
  if (status !== 0) throw new Error(`bin/lab ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
  return stdout;
}

/** The container of a machine of the lab. */
export async function containerOf(machine: string): Promise<string> {
  return `${(await environment()).LAB_CONTAINER_PREFIX}${machine}`;
}

/** Runs a shell script as root on a machine of the lab, as `bin/lab exec` does, without minding its status. */
export async function shell(machine: string, script: string): Promise<Result> {
  return run('docker', ['exec', await containerOf(machine), 'bash', '-euo', 'pipefail', '-c', script]);
}

/** Waits until a shell script succeeds on a machine. */
export async function waitFor(machine: string, condition: string, seconds = 90): Promise<void> {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(200)) {
    if ((await shell(machine, condition)).status === 0) return;
  }
  throw new Error(`on ${machine}, not within ${seconds} s: ${condition}`);
}

/** The same, where it has to succeed; returns its output without the newline at the end. */
export async function output(machine: string, script: string): Promise<string> {
  const { status, stdout, stderr } = await shell(machine, script);
  if (status !== 0) throw new Error(`on ${machine}: ${script}\nended with ${status}:\n${stdout}${stderr}`);
  return stdout.trimEnd();
}

/** Runs the action on the runner machine, and returns what was seen; it may fail. `flags` are those of bin/lab. */
export async function action(inputs: Record<string, string>, flags: readonly string[] = []): Promise<Seen> {
  const directory = mkdtempSync(join(tmpdir(), 'seen-'));
  const file = join(directory, 'seen.json');
  try {
    const values = Object.entries(inputs).map(([name, value]) => `${name}=${value}`);
    const { stdout, stderr } = await run('bin/lab', ['action', '--json', file, ...flags, ...values]);
    try {
      return JSON.parse(readFileSync(file, 'utf8')) as Seen;
    } catch (cause) {
      throw new Error(`bin/lab action left no report:\n${stdout}${stderr}`, { cause });
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The same, where it has to succeed: the log is in the error if it does not. */
export async function succeeding(
  inputs: Record<string, string>,
  flags: readonly string[] = [],
): Promise<Seen> {
  const seen = await action(inputs, flags);
  if (seen.exitCode !== 0) throw new Error(`the action ended with ${seen.exitCode}:\n${seen.maskedLog}`);
  return seen;
}

/** What a health check complains of; empty where all is well. So a test that expects nothing shows what there was. */
export function complaints({ outputs }: Seen): string {
  return outputs.health === 'healthy' ? '' : (outputs['health-report'] ?? 'there was no health check');
}

let known: Promise<Record<string, string>> | undefined;

/** The variables that `bin/lab env` exports, asked for once. */
export function environment(): Promise<Record<string, string>> {
  known ??= readEnvironment();
  return known;
}

async function readEnvironment(): Promise<Record<string, string>> {
  const lines = (await lab('env')).split('\n').map((line) => /^export (\w+)='?(.*?)'?$/.exec(line));
  return Object.fromEntries(lines.filter((line) => line !== null).map(([, name, value]) => [name, value]));
}

/** The mutations of a run, sorted, as `METHOD collection/name`, with the names of openings made the same. */
export function mutations(seen: Seen): string[] {
  return seen.api
    .filter(({ method, path }) => method !== 'GET' && !/\/operations\/.*\/wait/.test(path))
    .map(({ method, path }) => {
      const short = path.replace(/\?.*/, '').replace(/.*\/(global|zones\/[^/]+)\//, '');
      return `${method} ${short.replace(/-run-\w+$/, '-run-*')}`;
    })
    .sort();
}

/** A request to the lab's control socket, which makes tokens, credentials and networks. */
export async function control<T>(method: string, path: string, body?: unknown): Promise<T> {
  const { LAB_CONTROL_SOCKET: socketPath } = await environment();
  const { status, text } = await answerOf(request({ socketPath, method, path }), body);
  if (status >= 300) throw new Error(`${method} ${path}: status ${status}: ${text}`);
  return JSON.parse(text || 'null') as T;
}

/** Sends a request, with a body in JSON if there is one, and returns what comes. */
export function answerOf(
  message: ClientRequest,
  body: unknown,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    message.on('error', reject);
    message.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
      );
    });
    if (body !== undefined) message.setHeader('content-type', 'application/json');
    message.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
