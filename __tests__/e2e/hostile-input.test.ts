import fc from 'fast-check';
import type { Facts } from '../../src/instance/facts/facts';
import { instanceStep } from '../../src/instance/plan/steps';
import { applyPlan } from '../../src/instance/remote/apply';
import type { Log } from '../../src/job/log';
import { connect } from '../../src/ssh/connect';
import type { SshConnection } from '../../src/ssh/connection';
import { show } from '../../src/values/show';
import { expectSafe, hostileText } from '../hostile-text';
import { shownInBrowser } from './browser';
import { action, environment, lab, output, type Seen, succeeding } from './lab';
import { inLanes } from './lanes';
import { expectNothingLeft, type RunnerSnapshot, snapshotRunner } from './left-over';
import { basics, ownLogin, served } from './machines';
import { turns } from './scale';

// Whatever stands in an input: it is refused, or it gets where it belongs as it is, and nothing on either machine
// takes it for a command, an option or a path.

jest.setTimeout(300_000);

/** Commands that would leave a file and a process; every kind of text below has some of them in it. */
const PAYLOADS = [
  '$(touch /tmp/owned)',
  '`touch /tmp/owned`',
  "'; touch /tmp/owned; sleep 98765 & '",
  '\nsleep 98765&\n',
];
const BATCH = 50;
const CASES = turns(1000, 20_000);
/** In memory, so that the disk's time for a `sync` is not what is waited for. */
const FOLDER = '/run/hostile';

let inputs: Record<string, string>;
let ip: string;
let before: RunnerSnapshot;

beforeAll(async () => {
  await lab('reset');
  await lab('fault', 'clear');
  const { LAB_INSTANCE_IP, LAB_HOST_ADDRESS } = await environment();
  ip = String(LAB_INSTANCE_IP);
  const ranges = `runner, ${LAB_HOST_ADDRESS}`;
  inputs = { ...(await basics()), ...(await ownLogin()), 'source-ranges': ranges };
  await output('runner', 'docker pull -q hello-world');
  before = await snapshotRunner();
  for (const machine of ['runner', 'registry-1']) await output(machine, 'touch /root/marker');
});
afterAll(() => lab('fault', 'clear'));

/** No file of the payloads and no process of theirs, anywhere on either machine. */
async function expectNothingOwned(): Promise<void> {
  for (const machine of ['runner', 'registry-1']) {
    const script = `find / /tmp /run /dev/shm -xdev -name '*owned*' -not -path '${FOLDER}/*'; pgrep -fa 'sleep[ ]98765' || true`;
    expect(await output(machine, script)).toBe('');
  }
}

/** Files and directories that were made or changed since the beginning, without those of the system's own services. */
function changed(machine: string): Promise<string> {
  return output(
    machine,
    `find / /tmp /run /dev/shm -xdev -path ${FOLDER} -prune -o -newer /root/marker -not -type s -print |
       { grep -vE '^/(var/log|run/(systemd|log|user|udev|sshd|sudo|gce-registry|motd.dynamic)|var/lib/systemd)(/|$)|^/(tmp|run|var|var/tmp|root|run/lock|dev/shm)$' || true; }`,
  );
}

const quiet: Log = {
  info: () => undefined,
  debug: () => undefined,
  notice: () => undefined,
  warning: () => undefined,
  mask: () => undefined,
  foreign: () => undefined,
  group: (_, work) => work(),
};

/** Names of files: at most 255 bytes with what is put around the name of a file that is being written. */
function fileNames(count: number): string[] {
  const text = fc.tuple(hostileText, fc.constantFrom('', ...PAYLOADS)).map((parts) => parts.join(''));
  const found = new Set<string>();
  for (const each of fc.sample(text, { numRuns: count * 4 })) {
    const name = Buffer.from(each.replaceAll('/', '∕'))
      .subarray(0, 210)
      .toString()
      .replace(/\ufffd$/, '');
    if (name !== '' && name !== '.' && name !== '..') found.add(name);
    if (found.size === count) return [...found];
  }
  throw new Error(`only ${found.size} different names`);
}

/** Writes a file for each name, with the name in it and for a name, by the product's own way to the instance. */
async function write(connection: SshConnection, names: readonly string[]): Promise<Facts> {
  const [user = '', dataPath = '', run = ''] = names;
  const steps = names.map((name, index) =>
    instanceStep(
      index % 2 === 0
        ? { kind: 'write-file', path: `${FOLDER}/${name}`, content: name }
        : { kind: 'make-directory', path: `${FOLDER}/${name}` },
      name,
      null,
      '',
      '',
    ),
  );
  const options = {
    ...{ connection, log: quiet, plan: { steps, notes: [] }, compose: null, users: null, run, clockAhead: 0 },
    factsArguments: [user, dataPath, 'false', 'registry:http:5000:/v2/', 'ui:http:18080:/'],
  };
  const { facts, outdated } = await applyPlan({ ...options, turn });
  turn = facts.lock.turn;
  return outdated ? write(connection, names) : facts;
}

/** Of the run that changed the instance last. */
let turn = '';

test(`${CASES} words through the shell of the instance: each is the name of a file, and nothing else happens`, async () => {
  const connection = await connect(
    {
      host: ip,
      port: 22,
      user: String(inputs['ssh-user']),
      privateKey: `${inputs['ssh-private-key']}\n`,
      policy: { kind: 'unverified' },
    },
    quiet,
  );
  try {
    const names = fileNames(CASES);
    for (let first = 0; first < names.length; first += BATCH) {
      const batch = names.slice(first, first + BATCH);
      const facts = await write(connection, batch);
      // JSON has no short form for the others.
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
      expect(facts.user).toBe(batch[0]?.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, '?'));
    }
    const listing = await output(
      'registry-1',
      `cd ${FOLDER} && find . -mindepth 1 -print0 | base64 -w0; echo; find . -type f -exec sh -c 'for file; do cat "$file"; printf "\\0"; done' sh {} + | base64 -w0`,
    );
    const [found = [], contents = []] = listing
      .split('\n')
      .map((line) => Buffer.from(line, 'base64').toString().split('\0').slice(0, -1));
    expect(found.map((path) => path.slice(2)).sort()).toEqual([...names].sort());
    expect(contents.sort()).toEqual(names.filter((_, index) => (index % BATCH) % 2 === 0).sort());
  } finally {
    connection.close();
  }
  await expectNothingOwned();
  expect(await changed('registry-1')).toBe('');
  await output('registry-1', `rm -rf ${FOLDER}`);
});

/** Refused before anything is asked of anybody. */
const REFUSED: readonly (readonly [name: string, value: string])[] = [
  ['instance', '$(touch /tmp/owned)'],
  ['registry-name', 'two\n::error::owned\n##[error]owned'],
  ['data-path', '/srv/$(touch /tmp/owned)'],
  ['data-path', '/srv/../etc/cron.d'],
  ['registry-mirrors', "https://mirror.example.com/';touch /tmp/owned;'"],
  ['docker-repository', 'https://example.com/\nURIs: http://owned.example.com'],
  ['registry-image', '--privileged'],
  ['ui-image', 'registry:3\n    privileged: true'],
  ['image', '--help'],
  ['tags', '`touch /tmp/owned`'],
  ['tags', 'app:1\n--all-tags'],
  ['ssh-user', '-oProxyCommand=touch /tmp/owned'],
  ['source-ranges', '10.0.0.0/8 ##[error]owned'],
  ['compose-version', 'v2.40.3/../../owned'],
  ['registry-name', '漢'.repeat(30_000)],
];
describe('refused', () => {
  /** The runs, some at a time. */
  let refusals: readonly Promise<Seen>[];
  beforeAll(() => {
    refusals = inLanes(
      REFUSED.map(
        ([name, value]) =>
          () =>
            action({ ...inputs, [name]: value }),
      ),
    );
    for (const refusal of refusals) refusal.catch(() => undefined);
  });

  test.each(REFUSED.map(([name, value], index) => ({ name, shown: show(value, 40), index })))(
    '$name refuses $shown',
    async ({ name, index }) => {
      const seen = await refusals[index];
      const messages = seen?.annotations.map(({ message }) => message) ?? [];
      expect(messages).toEqual([expect.stringContaining(name)]);
      expectSafe(messages[0] ?? '');
      expect(seen).toMatchObject({ exitCode: 1, ssh: { connections: 0 }, outputs: {}, api: [] });
    },
  );
});

test('ssh-host-key is refused once it is known for which host its lines would have to be', async () => {
  const seen = await action({ ...inputs, 'ssh-host-key': '::set-output name=health::owned\u202e' });
  const [{ message } = { message: '' }] = seen.annotations;
  expect(message).toContain('ssh-host-key');
  expectSafe(message);
  expect(seen).toMatchObject({ exitCode: 1, ssh: { connections: 0 }, outputs: {} });
});

test('an address of packages that is a command too is an address, and the error shows it', async () => {
  const seen = await action({
    ...inputs,
    'docker-repository': 'https://download.docker.com/$(touch$IFS/tmp/owned);sleep&98765|[1-9]{a,b}',
  });
  const [{ message } = { message: '' }] = seen.annotations;
  expect(message).toMatch(/^Docker's key could not be fetched: /);
  expectSafe(message, 2000);
  await expectNothingOwned();
});

const TITLES = [
  `R&D ~ "quoted" <b>'x'</b> \\1 $HOME \`id\` $(touch /tmp/owned) '; touch /tmp/owned; '`,
  `::error::owned ##[error]owned %0A %s $\{REGISTRY_TITLE} $$ {{ .Title }} # not: [a, comment]`,
  `<script>document.title="owned"</script> &lt;b&gt; 漢字 é \u202eright to left\u202c - --rm`,
];

test.each(TITLES)('the title %j is shown as it is', async (title) => {
  const path = '/srv/--rm/-rf/@+_.d';
  const seen = await succeeding({
    ...inputs,
    'registry-name': title,
    'data-path': path,
    'registry-mirrors': 'https://mirror.example.com/$(touch$IFS/tmp/owned);x',
    tags: 'x__y/z---1:_A.-b',
  });
  expect(seen.annotations.filter(({ message }) => /^owned/.test(message))).toEqual([]);
  expect(await shownInBrowser(`http://${ip}:18080/`, [title])).toContain(title);
  expect(await served('registry-1', ['x__y/z---1:_A.-b'])).toEqual({
    'x__y/z---1:_A.-b': seen.outputs.digest,
  });
  expect(await output('registry-1', `ls ${path}/docker/registry/v2/repositories`)).toBe('x__y');
  expect(await output('registry-1', "docker info -f '{{json .RegistryConfig.Mirrors}}'")).toContain(
    'https://mirror.example.com/$(touch$IFS/tmp/owned);x',
  );
});

test('no file and no process anywhere that should not be, and nothing left behind', async () => {
  await output('registry-1', 'rm -rf /srv/--rm');
  await expectNothingOwned();
  await expectNothingLeft(before);
});
