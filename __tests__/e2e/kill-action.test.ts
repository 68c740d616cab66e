import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { compute, patchRule, rules } from './compute';
import { control, lab, output, type Seen, succeeding, waitFor } from './lab';
import { expectNothingLeft, openings, type RunnerSnapshot, snapshotRunner, sshKeys } from './left-over';
import { basics, served } from './machines';

// The action is cancelled, or killed, in each of its phases, which are recognised from outside.

jest.setTimeout(300_000);

let inputs: Record<string, string>;
let before: RunnerSnapshot;
let rest: string;
let count = 0;

beforeAll(async () => {
  await lab('reset');
  await lab('fault', 'clear');
  inputs = await basics();
  await succeeding(inputs);
  await putOwnersFile();
  before = await snapshotRunner();
  rest = await leftovers();
});
afterAll(() => lab('fault', 'clear'));

/** The owner's daemon.json, to be put back byte for byte. */
const putOwnersFile = () =>
  output('runner', `printf '{\\n\\t"debug": false }\\n' >/etc/docker/daemon.json; systemctl reload docker`);

/** A run that goes on, and what was seen of it when it has ended. */
interface Going {
  readonly lab: ChildProcess;
  readonly seen: Promise<Seen>;
  /** Settles when it says that it is cancelled, or ends. */
  readonly cancelled: Promise<void>;
  readonly started: string;
  /** Number of the last call in the API's log before it. */
  readonly calls: number;
}

/** Begins a run that has something to change on the instance, and an image to push that nobody has. */
async function begin(flags: readonly string[] = []): Promise<Going> {
  count += 1;
  const image = `mine:${count}`;
  await output(
    'runner',
    `cd "$(mktemp -d)" && head -c 100M /dev/urandom >data && tar -c data | docker import - ${image} >/dev/null
     rm -rf "$PWD"; rm -rf /home/runner/work/job-*`,
  );
  const started = await output('registry-1', 'date -u +%Y-%m-%dT%H:%M:%S.%NZ');
  const calls = (await control<{ n: number }[]>('GET', '/log?after=0')).at(-1)?.n ?? 0;
  const file = join(mkdtempSync(join(tmpdir(), 'seen-')), 'seen.json');
  const values = Object.entries({
    ...inputs,
    image,
    tags: `mine-${count}`,
    'registry-name': `Name ${count}`,
  });
  const words = ['action', '--keep', '--json', file, ...flags, ...values.map((pair) => pair.join('='))];
  // Not by itself: the environment of a story is not that of jest's process.
  const child = spawn('bin/lab', words, { env: process.env, stdio: ['ignore', 'pipe', 'ignore'] });
  const cancelled = new Promise<void>((resolve) => {
    createInterface({ input: child.stdout })
      .on('line', (line) => {
        if (/^SIGINT: /.test(line)) resolve();
      })
      .on('close', resolve);
  });
  const seen = new Promise<Seen>((resolve) => {
    child.on('close', () => resolve(JSON.parse(readFileSync(file, 'utf8')) as Seen));
  });
  return { lab: child, seen, cancelled, started, calls };
}

async function called(run: Going, method: string, path: RegExp): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(20)) {
    const log = await control<{ method: string; path: string }[]>('GET', `/log?after=${run.calls}`);
    if (log.some((call) => call.method === method && path.test(call.path))) return;
  }
  throw new Error(`the run did not call ${method} ${path} within 60 s`);
}

/** A step of the main part that a run is in: how to get it to stand still there, how to tell, how to let it go on. */
interface Phase {
  readonly name: string;
  readonly prepare?: () => Promise<unknown>;
  readonly reached: (run: Going) => Promise<unknown>;
  readonly release?: () => Promise<unknown>;
}

const SYNC = '/usr/local/sbin/sync';

/** Not `docker pause`, after which Docker calls a container unhealthy until its next probe. */
const signalRegistry = (signal: string): string =>
  `kill -${signal} "$(docker inspect --format '{{.State.Pid}}' gce-registry-registry-1)"`;

const PHASES: readonly Phase[] = [
  {
    name: 'while its key is set',
    prepare: () => lab('fault', 'operation-slow', '2'),
    reached: (run) => called(run, 'POST', /\/setMetadata/),
    release: () => lab('fault', 'clear'),
  },
  {
    name: 'while its opening is made',
    prepare: () => lab('fault', 'operation-slow', '2'),
    reached: (run) => called(run, 'POST', /\/firewalls/),
    release: () => lab('fault', 'clear'),
  },
  {
    name: 'as soon as it has logged in',
    reached: (run) =>
      waitFor(
        'registry-1',
        `journalctl --since "${run.started.replace('T', ' ').replace('Z', ' UTC')}" --identifier=sshd --identifier=sshd-session | grep -q 'Accepted publickey'`,
      ),
  },
  {
    name: 'while it changes the instance',
    prepare: () => lab('fault', 'pause-at-step', `action${count + 1}`, '1', 'any'),
    reached: () => waitFor('registry-1', `test -e /var/lib/gcelab/pause/reached.action${count}`),
    release: () => lab('fault', 'clear'),
  },
  {
    name: "while it writes the runner's daemon.json",
    // sudo finds this before the real one.
    prepare: () =>
      output(
        'runner',
        `rm -rf /run/gcelab && mkdir /run/gcelab
         printf '%s\\n' '#!/bin/sh' 'case $1 in *daemon.json.*) : >/run/gcelab/reached;; *) exec /bin/sync "$@";; esac' \\
           'until [ -e /run/gcelab/go ]; do sleep 0.1; done' 'exec /bin/sync "$@"' >${SYNC}; chmod 755 ${SYNC}`,
      ),
    reached: () => waitFor('runner', 'test -e /run/gcelab/reached'),
    release: () => output('runner', `touch /run/gcelab/go; rm ${SYNC}`),
  },
  {
    name: 'while it pushes',
    reached: () => output('runner', 'until pgrep -f "[d]ocker push" >/dev/null; do :; done'),
  },
  {
    name: 'while it verifies',
    // The registry stands still as soon as it has the manifest, so that no answer comes to what is asked next.
    reached: ({ started }) =>
      output(
        'registry-1',
        `until docker logs --since ${started} gce-registry-registry-1 2>&1 | grep -q 'http.request.method=PUT.*manifests'; do :; done
         ${signalRegistry('STOP')}`,
      ),
    release: () => output('registry-1', signalRegistry('CONT')),
  },
];

/** What must be on both machines after a run as it was before: local tags, and files where temporary ones are. */
async function leftovers(): Promise<string> {
  // Docker's runtime writes down there for a moment what a health check is to run.
  const files =
    'find /tmp /etc/docker /run/gce-registry-action -type f 2>/dev/null | grep -vE "^/tmp/(served$|runc-process)" | sort';
  const [runner, instance] = await Promise.all([
    output(
      'runner',
      `docker image ls --format '{{.Repository}}:{{.Tag}}' | grep -v '^mine:' | sort; ${files}
       find /home/runner/work/job-*/_temp -type f 2>/dev/null | grep -vE '_runner_file_commands|_github_workflow|gha-creds' || true`,
    ),
    output('registry-1', `${files.replace('/run/gce-registry-action', '/etc/gce-registry /etc/apt')}`),
  ]);
  return `${runner}\n${instance}`;
}

/** No process of a run is left, on either machine. */
async function expectQuiet(): Promise<void> {
  await waitFor('runner', '! pgrep -f "[d]ocker push|[d]aemon-file.sh|[d]ist/index.js"', 60);
  await waitFor('registry-1', '! pgrep -f "[b]ash --norc --noprofile"', 120);
}

test.each(PHASES)('cancelled $name: the post step leaves nothing behind', async (phase) => {
  await phase.prepare?.();
  const run = await begin();
  await phase.reached(run);
  run.lab.kill('SIGINT');
  await run.cancelled;
  await phase.release?.();
  const { exitCode } = await run.seen;
  expect(exitCode).not.toBe(0);
  await expectQuiet();
  await expectNothingLeft(before);
  expect(await leftovers()).toBe(rest);
});

test('cancelled in the post step: it puts everything away first', async () => {
  await lab('fault', 'operation-slow', '2');
  const run = await begin();
  await called(run, 'DELETE', /\/firewalls\/.*-registry-run-/);
  run.lab.kill('SIGINT');
  await run.seen;
  await lab('fault', 'clear');
  await expectQuiet();
  await expectNothingLeft(before);
  expect(await leftovers()).toBe(rest);
});

/** The run dies at once, with all that it has started on the runner, and there is no post step. */
async function killed(phase: Phase): Promise<void> {
  await phase.prepare?.();
  const run = await begin(['--no-post']);
  await phase.reached(run);
  await output(
    'runner',
    'kill -KILL $(cat /home/runner/work/job-*/main/pid); pkill -KILL -f "[d]aemon-file.sh" || true',
  );
  await phase.release?.();
  await run.seen;
  await expectQuiet();
}

const KEY =
  /^registry-action:ssh-ed25519 \S+ google-ssh \{"userName":"registry-action","expireOn":"([^"]+)"\}$/;
const OPENING = /^Opening of one run of gce-registry-action\. instance=\S+ expires=(\S+) run=\S+$/;

/** All that killed runs left on Google Cloud says whose it is, and when it ends. */
async function expectMarked(): Promise<void> {
  const keys = (await sshKeys()).filter((line) => line.startsWith('registry-action:'));
  const descriptions = (await rules())
    .filter(({ name }) => name.includes('-registry-run-'))
    .map(({ description }) => description);
  for (const [lines, form] of [
    [keys, KEY],
    [descriptions, OPENING],
  ] as const) {
    for (const line of lines) {
      const left = Date.parse(form.exec(line)?.[1] ?? '') - Date.now();
      // The longest that a job on GitHub's own runners can take, and some time for clocks that differ.
      expect(left).toBeGreaterThan(6 * 3_600_000);
      expect(left).toBeLessThanOrEqual(7 * 3_600_000);
    }
  }
}

/** As if so much time had passed: every key and opening of a run has expired. */
async function letExpire(): Promise<void> {
  const past = '2020-01-01T00:00:00';
  for (const { name, description } of await rules()) {
    if (OPENING.test(description))
      await patchRule(name, { description: description.replace(/expires=\S+/, `expires=${past}Z`) });
  }
  const path = 'zones/europe-west1-b/instances/registry-1';
  const { metadata } = await compute<{ metadata: { items: { key: string; value: string }[] } }>('GET', path);
  const items = metadata.items.map(({ key, value }) => ({
    key,
    value: key === 'ssh-keys' ? value.replace(/"expireOn":"[^"]+"/g, `"expireOn":"${past}+0000"`) : value,
  }));
  const { name } = await compute<{ name: string }>('POST', `${path}/setMetadata`, { ...metadata, items });
  await compute('POST', `zones/europe-west1-b/operations/${name}/wait`);
}

test('killed in each phase, without a post step: what is left has an expiry, and the next run removes it then', async () => {
  for (const phase of PHASES) {
    // A run that was killed late in the phase before may have written it.
    await putOwnersFile();
    await killed(phase);
    await expectMarked();
  }
  expect(await openings()).not.toEqual([]);
  await letExpire();
  // This one is not over, as far as anybody can tell.
  await killed(PHASES[5] as Phase);
  const living = { keys: await sshKeys(), openings: await openings() };
  const seen = await succeeding({ ...inputs, tags: 'after' });
  expect(await served('registry-1', ['after:latest'])).toEqual({ 'after:latest': seen.outputs.digest });
  // The local tag of a push that was killed stays: it might as well be the owner's.
  const now = (await leftovers()).replace(/^[\d.]+:5000\/mine-\d+:latest\n/gm, '');
  expect({ runner: await snapshotRunner(), now }).toEqual({ runner: before, now: rest });
  const [key, opening] = [living.keys.at(-1), living.openings];
  expect(await sshKeys()).toEqual([key]);
  expect(opening).toEqual(expect.arrayContaining(await openings()));
  expect(await openings()).toHaveLength(1);
});

test('what a killed run left is removed by a health check as well, once it has expired', async () => {
  expect(await openings()).toHaveLength(1);
  const { image: _image, tags: _tags, ...check } = inputs;
  await letExpire();
  await succeeding({ ...check, 'registry-name': `Name ${count}`, mode: 'health-check' });
  await expectNothingLeft(before);
});
