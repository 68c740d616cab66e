import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { backupSnapshot, snapshotBefore } from '../../../src/modes/backup-snapshot';
import type { Connected } from '../../../src/modes/log-in';
import type { Run } from '../../../src/modes/run';
import type { CommandResult, RunOptions } from '../../../src/ssh/connection';
import { FakeStorage, snapshotOf } from '../google/fake-storage';
import { fakeLog } from '../google/fakes';
import { FakeCompute, FakeState, NOW, termsOf } from '../leases/example';
import { MACHINE, PLACE } from '../machine/example';

// What is asked of the instance and of Google, in order.

const LABELS = {
  'gce-registry-instance': 'web-1',
  'gce-registry-zone': MACHINE.zone,
  'gce-registry-kind': 'data',
};
const DAY = 24 * 60 * 60_000;
const NAME = 'web-1-registry-20260101-000000';

let storage: FakeStorage;
let events: string[];

beforeEach(() => {
  storage = new FakeStorage();
  events = storage.calls;
});

/** An instance that says where its data is, and is held until standard input ends. */
const connection = {
  login: {},
  close: () => undefined,
  async run(_: string, { stdin, onLine }: RunOptions): Promise<CommandResult> {
    const done = (stdout: string) => ({ status: 0, signal: null, stdout, stderr: '' });
    if (!(stdin instanceof Readable)) {
      const mark = /^disk_facts_of ([0-9a-f-]{36}) /m.exec(String(stdin))?.[1];
      return done(`\n${mark} ${JSON.stringify(PLACE)}\n`);
    }
    let token = '';
    stdin.once('data', (chunk: Buffer) => {
      token = /^hold ([0-9a-f-]{36}) /m.exec(chunk.toString())?.[1] ?? '';
      events.push('held');
      onLine?.(`${token} held`);
    });
    await text(stdin);
    events.push('let go');
    return done(`${token} held\n`);
  },
};

function runWith(dryRun: boolean): Run {
  const compute = new FakeCompute();
  compute.vm = MACHINE;
  return {
    settings: {
      mode: 'backup',
      dryRun,
      vm: { project: null, zone: MACHINE.zone, instance: 'web-1' },
      ssh: { privateKey: 'x', user: 'me', port: 22, hostKey: { kind: 'unverified' } },
      registry: { dataPath: '/srv/registry', host: null, port: 5000, tls: { kind: 'none' }, ui: 'none' },
      firewall: { ranges: [], rule: 'r' },
      snapshots: { schedule: null, keepDays: 14, before: false, restore: null },
      route: 'direct',
      push: null,
    },
    job: { name: 'job' },
    log: fakeLog(),
    reach: {
      google: async () => ({ project: 'p', compute, storage, describe: '' }),
      ssh: async () => connection,
    },
    leases: termsOf(new FakeState()),
  } as unknown as Run;
}

const aged = (name: string, days: number, more = {}) =>
  snapshotOf(name, { labels: LABELS, created: NOW - days * DAY, ...more });

test('a snapshot is taken while the instance is held, and what is too old goes', async () => {
  const scheduled = { labels: { ...LABELS, 'gce-registry-kind': 'scheduled' } };
  const another = { labels: { ...LABELS, 'gce-registry-instance': 'web-2' } };
  storage.snapshots = [
    aged('old', 15),
    aged('young', 13),
    aged('scheduled', 90, scheduled),
    aged('of-another', 90, another),
  ];
  const report = await backupSnapshot(runWith(false));
  expect(report).toMatchObject({ snapshot: NAME, onlyPlanned: false });
  expect(report.changes.map(({ what, to }) => [what, to])).toEqual([
    [`snapshot ${NAME}`, 'of disk data-1'],
    ['snapshot old', null],
  ]);
  expect(events).toEqual(['held', `createSnapshot data-1 ${NAME}`, 'let go', 'deleteSnapshot old']);
});

test('a dry run says so, and changes nothing', async () => {
  storage.snapshots = [aged('old', 20), aged('older', 30)];
  const report = await backupSnapshot(runWith(true));
  expect(report).toMatchObject({ snapshot: null, onlyPlanned: true });
  expect(report.changes.map(({ what }) => what)).toEqual([
    `snapshot ${NAME}`,
    'snapshot old',
    'snapshot older',
  ]);
  expect(events).toEqual([]);
});

test('what Google refuses lets the instance go', async () => {
  storage.failing = { createSnapshot: new Error('refused') };
  await expect(backupSnapshot(runWith(false))).rejects.toThrow('refused');
  expect(events).toEqual(['held', 'let go']);
});

test('one before something else deletes none', async () => {
  storage.snapshots = [aged('old', 20), aged('older', 30)];
  const site = { storage, vm: MACHINE, connection } as unknown as Connected;
  expect(await snapshotBefore(runWith(false), site, 'update')).toBe(NAME);
  expect(events).toEqual(['held', `createSnapshot data-1 ${NAME}`, 'let go']);
});
