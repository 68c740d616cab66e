import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { readSettled } from '../../../../src/converge/read';
import { type Action, instanceStep } from '../../../../src/instance/plan/steps';
import { applyPlan } from '../../../../src/instance/remote/apply';
import { requireShell, shellCommand } from '../../../../src/instance/remote/remote-shell';
import { instanceTarget } from '../../../../src/instance/target';
import type { Log } from '../../../../src/job/log';
import type { CommandResult, SshConnection } from '../../../../src/ssh/connection';
import { sha256 } from '../../../../src/values/digest';
import { DESIRED } from '../example';

/** An "instance" that is a bash of this machine, without root; the lock is in the test's directory. */
const localBash: SshConnection = {
  login: {
    host: '203.0.113.5',
    port: 22,
    user: 'ci',
    privateKey: '',
    hostKey: { type: 'ssh-ed25519', fingerprint: '' },
  },
  close: () => undefined,
  run: (command, { stdin, onLine }) =>
    new Promise<CommandResult>((resolve) => {
      expect([60_000, 30 * 60_000].map(shellCommand)).toContain(command);
      const child = spawn('bash', ['--norc', '-s', '--', '198.51.100.7 1 10.0.0.2 22']);
      let stdout = '';
      let stderr = '';
      child.stdout.on('data', (chunk) => {
        stdout += chunk;
      });
      child.stderr.on('data', (chunk) => {
        stderr += chunk;
      });
      child.stdin.on('error', () => undefined);
      child.on('close', (status) => {
        for (const line of stdout.split('\n')) onLine?.(line);
        resolve({ status, signal: null, stdout, stderr });
      });
      if (stdin instanceof Readable) throw new Error('The test sends text');
      child.stdin.end(String(stdin).replaceAll('/run/gce-registry/', `${locks}/`));
    }),
};

let directory: string;
let locks: string;
let groups: string[];
let output: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'apply-'));
  locks = mkdtempSync(join(tmpdir(), 'locks-'));
  groups = [];
  output = '';
});
afterEach(() => {
  for (const each of [directory, locks]) rmSync(each, { recursive: true });
});

const log: Log = {
  info: (text) => {
    output += `${text}\n`;
  },
  debug: () => undefined,
  notice: () => undefined,
  warning: () => undefined,
  mask: () => undefined,
  foreign: (text) => {
    output += text;
  },
  group: (title, work) => {
    groups.push(title);
    return work();
  },
};

function apply(actions: Action[], connection = localBash, turn = '') {
  const steps = actions.map((action, index) =>
    instanceStep(action, `step ${index}`, null, '', 'of the test'),
  );
  const factsArguments = ['ci', '', 'false', 'registry:http:5000:/v2/', 'ui:http:18080:/'];
  const plan = { steps, notes: [] };
  const compose = null;
  const run = 'run 1';
  return applyPlan({ connection, log, plan, turn, run, factsArguments, compose, users: null, clockAhead: 0 });
}

const hostile = `$(touch owned) \`touch owned\` 'q' "q" \\ * -n é
second line ${'x'.repeat(5000)}`;

test('runs the steps in order, whole files in place, and returns the facts', async () => {
  const folder = join(directory, "it's a $(touch owned) `dir`");
  const { facts, outdated } = await apply([
    { kind: 'make-directory', path: folder },
    { kind: 'write-file', path: join(folder, 'a file'), content: hostile },
    { kind: 'write-file', path: join(folder, 'gone'), content: '' },
    { kind: 'remove-file', path: join(folder, 'gone') },
  ]);
  expect(outdated).toBe(false);
  expect(facts.client).toBe('198.51.100.7');
  expect(groups).toHaveLength(4);
  expect(readdirSync(directory)).toHaveLength(1);
  expect(readdirSync(folder)).toEqual(['a file']);
  expect(sha256(readFileSync(join(folder, 'a file')))).toBe(sha256(hostile));
  expect(statSync(join(folder, 'a file')).mode & 0o777).toBe(0o644);
});

test('stops at the step that fails, and says why', async () => {
  const attempt = apply([
    { kind: 'remove-file', path: directory },
    { kind: 'write-file', path: join(directory, 'later'), content: '' },
  ]);
  await expect(attempt).rejects.toThrow(/^Setup step failed: .*step 0.*Is a directory/);
  expect(groups).toHaveLength(1);
  expect(output).toContain('Is a directory');
  expect(readdirSync(directory)).toEqual([]);
});

test('without a reader the step at work comes to its end, and the next one does not begin', async () => {
  const done = join(directory, 'done');
  const cut: SshConnection = {
    ...localBash,
    run: (_command, { stdin }) =>
      new Promise((resolve) => {
        const child = spawn('bash', ['--norc', '-s'], { stdio: ['pipe', 'pipe', 'ignore'] });
        // The reader goes away as soon as the first step has begun.
        child.stdout.on('data', (chunk) => {
          if (String(chunk).includes(' begin 0')) child.stdout.destroy();
        });
        child.on('exit', (status) => resolve({ status, signal: null, stdout: '', stderr: '' }));
        // A step that prints, and then does what counts.
        const step = `step_reload_engine() { for n in {1..50}; do echo "$n"; sleep 0.02; done; touch '${done}'; }`;
        const script = String(stdin).replaceAll('/run/gce-registry/', `${locks}/`);
        child.stdin.end(script.replace('\nplan() {', `\n${step}\nplan() {`));
      }),
  };
  const attempt = apply(
    [
      { kind: 'reload-engine', mirrors: [] },
      { kind: 'write-file', path: join(directory, 'next'), content: '' },
    ],
    cut,
  );
  await expect(attempt).rejects.toThrow();
  expect(readdirSync(directory)).toEqual(['done']);
});

test('runs nothing when not all of the script arrived', async () => {
  const cut: SshConnection = {
    ...localBash,
    run: (command, options) =>
      localBash.run(command, { ...options, stdin: String(options.stdin).slice(0, -20) }),
  };
  const attempt = apply([{ kind: 'write-file', path: join(directory, 'x'), content: '' }], cut);
  await expect(attempt).rejects.toThrow(/No usable shell|Setup was cut off/);
  expect(readdirSync(directory)).toEqual([]);
});

describe('other runs', () => {
  const write: Action[] = [{ kind: 'write-file', path: '/dev/null/never', content: '' }];
  const nothing = (turn = '') =>
    apply([{ kind: 'remove-file', path: join(directory, 'x') }], localBash, turn);

  /** Holds the lock as another run does; returns what ends that. */
  async function otherTurn(): Promise<() => void> {
    const other = spawn('flock', [join(locks, 'lock'), 'sh', '-c', 'echo locked; read line']);
    await new Promise((resolve) => other.stdout.once('data', resolve));
    return () => other.stdin.end('\n');
  }

  /** Until a run says in the second lock that it waits. */
  async function announced(): Promise<void> {
    const file = join(locks, 'lock.awaited');
    while (!existsSync(file) || readFileSync(file, 'utf8') !== 'run 1\n') await delay(20);
  }

  const target = (onOtherRun = () => {}) =>
    instanceTarget({
      ...{ connection: localBash, log, run: 'run 1', user: 'ci' },
      ...{ ...DESIRED, withImages: false, teardown: null },
      events: { onOtherRun },
      loadCompose: () => Promise.reject(new Error('not needed')),
    });

  test('what is read in the middle of another run’s turn is read again after it', async () => {
    await nothing();
    const line = readFileSync(join(locks, 'lock'), 'utf8');
    const endTurn = await otherTurn();
    let met = 0;
    const reading = readSettled(
      target(() => {
        met += 1;
      }),
      log,
    );
    await announced();
    endTurn();
    expect((await reading).lock).toEqual({ turn: line.trim(), busy: false });
    expect(met).toBe(1);
    expect(output).toContain('is changing this instance: waiting for it to end, up to 15 min');
    expect(readFileSync(join(locks, 'lock'), 'utf8')).toBe(line);
  });

  test('reading itself waits for nobody, and says that another run is at work', async () => {
    await nothing();
    const endTurn = await otherTurn();
    expect((await target().read()).lock.busy).toBe(true);
    endTurn();
  });

  test('runs that wait to read do so side by side', async () => {
    await nothing();
    const reader = spawn('flock', ['--shared', join(locks, 'lock'), 'sh', '-c', 'echo locked; read line']);
    await new Promise((resolve) => reader.stdout.once('data', resolve));
    expect((await target().wait?.())?.lock.busy).toBe(false);
    reader.stdin.end('\n');
  });

  test('a plan that was made before another run had its turn is not carried out', async () => {
    const first = await nothing();
    expect(first.facts.lock).toEqual({ turn: expect.stringMatching(/ run 1$/), busy: false });
    const second = await apply(write);
    expect(second).toMatchObject({ outdated: true, facts: { lock: first.facts.lock } });
    expect(output).toContain('Another run (run 1) has changed this instance since it was read');
    expect((await nothing(second.facts.lock.turn)).outdated).toBe(false);
  });

  test('while another run has its turn, this one waits, and both are told', async () => {
    const { facts } = await nothing();
    const endTurn = await otherTurn();
    const waiting = nothing(facts.lock.turn);
    await announced();
    endTurn();
    expect((await waiting).outdated).toBe(false);
    expect(output).toContain(
      'Another run (run 1) is changing this instance: waiting for it to end, up to 15 min',
    );
  });
});

test.each([
  ['No sudo without a password', { status: 1, stderr: 'sudo: a password is required\n' }],
  ['No sudo without a password', { status: 1, stderr: 'sudo: sorry, you must have a tty to run sudo\n' }],
  ['No sudo without a password', { status: 127, stderr: 'sh: 1: exec: sudo: not found\n' }],
  ['No usable shell', { status: 1, stdout: 'This account is currently not available.\n' }],
])('%s: %j', (title, result) => {
  expect(() => requireShell({ signal: null, stdout: '', stderr: '', ...result })).toThrow(title);
});
