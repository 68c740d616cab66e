import { execFileSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { type ExecResult, localCommands } from '../../../src/job/exec';
import {
  certificateDirectory,
  releaseCertificate,
  takeCertificate,
} from '../../../src/runner/certificate-file';
import type { RunnerHost } from '../../../src/runner/host';

// The script itself, in directories of its own. What Docker makes of its files is for the stories in the lab.

const PATH = process.env.PATH ?? '';
const NOW = Date.parse('2026-01-01T00:00:00Z');
const HOUR = 60 * 60 * 1000;
const REGISTRY = { host: '192.0.2.7', port: 5000 };
const IPV6 = { host: '[2001:db8::7]', port: 5000 };
const CA = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const NEWER = CA.replace('AAAA', 'BBBB');
const OTHERS = CA.replace('AAAA', 'CCCC');
const OURS = 'gce-registry-action.crt';
const taken = (kind: 'written' | 'owner', name: string, ignored = false) => ({
  kind,
  file: `/etc/docker/certs.d/192.0.2.7:5000/${name}`,
  ignored,
});

/** The program on the search path; null where the machine has none. */
function find(name: string): string | null {
  const files = PATH.split(delimiter).map((folder) => join(folder, name));
  return files.find((file) => isProgram(file)) ?? null;
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const SHELLS = ['dash', 'bash', 'busybox'].filter((name) => find(name) !== null);

let root: string;
/** Comes first on the script's search path. */
let bin: string;
let machine: RunnerHost;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'certs-'));
  bin = join(root, 'bin');
  for (const path of ['bin', 'run', 'etc/docker']) mkdirSync(join(root, path), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true }));

/** A machine whose `sh` is this one, and with BusyBox every other command as well. */
function useShell(shell: string): void {
  if (shell === 'busybox') execFileSync('busybox', ['--install', '-s', bin]);
  else symlinkSync(find(shell) ?? '', join(bin, 'sh'));
  const { exec } = localCommands({ PATH: shell === 'busybox' ? bin : `${bin}:${PATH}` });
  machine = {
    platform: 'linux',
    isRoot: true,
    parentPid: 1,
    dockerConfig: '',
    exec: (command, args, options) => exec(command, args.map(here), options),
    read: async () => null,
    list: async () => ['written'],
  };
}

/** The script, or one of its arguments, as it is below `root`. */
function here(word: string): string {
  if (word.startsWith('/etc/')) return root + word;
  const [script, store] = [word.startsWith('#!'), '\nstore=/run/'];
  // Else it would keep its notes on the real machine.
  if (script && !word.includes(store)) throw new Error('the script keeps its notes elsewhere');
  return word.replace(store, `\nstore=${root}/run/`);
}

const inRegistry = (name: string, registry = REGISTRY) => join(root, certificateDirectory(registry), name);
const read = (name: string, registry = REGISTRY) => readFileSync(inRegistry(name, registry), 'utf8');
const write = (name: string, content: string, registry = REGISTRY) => {
  mkdirSync(dirname(inRegistry(name, registry)), { recursive: true });
  writeFileSync(inRegistry(name, registry), content);
};
const take = (claim: string, { pem = CA, registry = REGISTRY, now = NOW } = {}) =>
  takeCertificate(machine, { registry, pem, claim, expires: now + HOUR, now });
const release = (claim: string, { registry = REGISTRY, now = NOW } = {}) =>
  releaseCertificate(machine, { directory: certificateDirectory(registry), claim, now });

/** Every file and directory below a directory, with contents. */
function contentsOf(directory: string): Record<string, string> {
  if (!existsSync(directory)) return {};
  const paths = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
  return Object.fromEntries(paths.map((path) => [path, contentOf(join(directory, path))]));
}

function contentOf(path: string): string {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return `-> ${readlinkSync(path)}`;
  return stat.isDirectory() ? 'directory' : readFileSync(path, 'utf8');
}

const docker = () => contentsOf(join(root, 'etc/docker'));
/** What the script keeps of all registries, but for what stays on purpose. */
const notes = () =>
  Object.entries(contentsOf(join(root, 'run/gce-registry-action/certificates'))).filter(
    ([path, content]) => path !== 'made' || content !== '',
  );

test('the machines of this project have dash', () => {
  expect(SHELLS).toContain('dash');
});

describe.each(SHELLS)('%s', (shell) => {
  beforeEach(() => useShell(shell));

  test.each<[string, Record<string, string>, Record<string, string>]>([
    ['nothing', {}, { 'ca.crt': CA }],
    ['another CA', { 'ca.crt': OTHERS }, { [OURS]: CA }],
    ['a CA under another name', { 'office.crt': OTHERS }, { 'ca.crt': CA }],
    ['one of ours that nobody knows of', { 'ca.crt': OTHERS, [OURS]: NEWER }, { [OURS]: CA }],
  ])('where the owner has %s', async (_has, owners, written) => {
    for (const [name, content] of Object.entries(owners)) write(name, content);
    const before = docker();
    expect(await take('a1')).toEqual(taken('written', String(Object.keys(written)[0])));
    expect(contentsOf(inRegistry(''))).toEqual({ ...owners, ...written });
    for (const name of Object.keys(written)) expect(statSync(inRegistry(name)).mode & 0o777).toBe(0o644);
    await release('a1');
    expect([docker(), notes()]).toEqual([withoutOurs(before), []]);
  });

  test('where the owner has that very CA, nothing is changed', async () => {
    write('ca.crt', CA);
    const before = docker();
    expect(await take('a1')).toEqual(taken('owner', 'ca.crt'));
    expect(docker()).toEqual(before);
    await release('a1');
    expect([docker(), notes()]).toEqual([before, []]);
  });

  test('the brackets of an IPv6 address are no pattern', async () => {
    const [name] = IPV6.host.slice(1);
    const decoys = [`certs.d/${name}:5000`, `certs.d/${name}:5000/.gce-registry-action.x`];
    mkdirSync(join(root, 'etc/docker', decoys[0] ?? ''), { recursive: true });
    writeFileSync(join(root, 'etc/docker', decoys[1] ?? ''), '');
    await take('a1', { registry: IPV6 });
    expect(read('ca.crt', IPV6)).toBe(CA);
    await take('b2', { registry: IPV6, pem: NEWER });
    expect(contentsOf(inRegistry('', IPV6))).toEqual({ 'ca.crt': NEWER });
    for (const claim of ['a1', 'b2']) await release(claim, { registry: IPV6 });
    expect([Object.keys(docker()), notes()]).toEqual([['certs.d', ...decoys], []]);
  });

  test('the first of two runs that ends leaves the CA to the other', async () => {
    await take('a1');
    const { ino } = statSync(inRegistry('ca.crt'));
    await take('b2');
    await release('a1');
    expect([read('ca.crt'), statSync(inRegistry('ca.crt')).ino]).toEqual([CA, ino]);
    await release('a1');
    expect(read('ca.crt')).toBe(CA);
    await release('b2');
    expect([docker(), notes()]).toEqual([{}, []]);
  });

  test.each<[string, () => Promise<unknown>]>([
    ['ends', () => release('b2', { now: NOW + HOUR })],
    ['takes it and ends', () => take('b2', { now: NOW + HOUR }).then(() => release('b2'))],
  ])('the claim of a dead run goes when another one %s', async (_case, other) => {
    await take('a1');
    await other();
    expect([docker(), notes()]).toEqual([{}, []]);
  });

  test('a claim holds until it expires', async () => {
    await take('a1');
    await release('b2', { now: NOW + HOUR - 1000 });
    expect(read('ca.crt')).toBe(CA);
  });

  test("what a dead run has written goes where the owner's own does by now", async () => {
    write('ca.crt', OTHERS);
    await take('a1');
    write('ca.crt', CA);
    expect(await take('b2', { now: NOW + HOUR })).toEqual(taken('owner', 'ca.crt'));
    expect(readdirSync(inRegistry(''))).toEqual(['ca.crt']);
    expect(notes()).toEqual([]);
  });

  test.each([
    ['ca.crt', {}],
    [OURS, { 'ca.crt': OTHERS }],
  ])('a newer CA takes the place of the older one in %s', async (name, owners) => {
    for (const [each, content] of Object.entries(owners)) write(each, content);
    await take('a1');
    expect(await take('b2', { pem: NEWER })).toEqual(taken('written', name));
    expect(read(name)).toBe(NEWER);
    expect(readdirSync(inRegistry('')).sort()).toEqual([...new Set([...Object.keys(owners), name])].sort());
    await release('a1');
    expect(read(name)).toBe(NEWER);
    await release('b2');
    expect(existsSync(inRegistry(name))).toBe(false);
  });

  test('what somebody has put in its place stays', async () => {
    await take('a1');
    write('ca.crt', OTHERS);
    await release('a1');
    expect([read('ca.crt'), notes().filter(([path]) => path !== 'made')]).toEqual([OTHERS, []]);
  });

  test('what somebody has put in its place is left alone by the next run as well', async () => {
    await take('a1');
    write('ca.crt', OTHERS);
    await take('b2');
    expect([read('ca.crt'), read(OURS)]).toEqual([OTHERS, CA]);
    await release('a1');
    await release('b2');
    expect(readdirSync(inRegistry(''))).toEqual(['ca.crt']);
  });

  test('somebody removed it: it is put back, and nothing fails', async () => {
    await take('a1');
    rmSync(inRegistry(''), { recursive: true });
    await take('b2');
    expect(read('ca.crt')).toBe(CA);
    rmSync(join(root, 'etc/docker/certs.d'), { recursive: true });
    await release('a1');
    await release('b2');
    expect([docker(), notes()]).toEqual([{}, []]);
  });

  test('a link of the owner that leads nowhere stays', async () => {
    mkdirSync(inRegistry(''), { recursive: true });
    symlinkSync('/nowhere', inRegistry('ca.crt'));
    await take('a1');
    expect(read(OURS)).toBe(CA);
    await release('a1');
    expect(docker()).toEqual({
      'certs.d': 'directory',
      'certs.d/192.0.2.7:5000': 'directory',
      'certs.d/192.0.2.7:5000/ca.crt': '-> /nowhere',
    });
  });

  test.each([
    ['none', [], []],
    ['certs.d', ['certs.d'], ['certs.d']],
    ['its own', ['certs.d/192.0.2.7:5000'], ['certs.d', 'certs.d/192.0.2.7:5000']],
    ['that of another registry', ['certs.d/other:5000'], ['certs.d', 'certs.d/other:5000']],
  ])('of the directories %s was there, and stays', async (_case, made, left) => {
    for (const path of made) mkdirSync(join(root, 'etc/docker', path), { recursive: true });
    await take('a1');
    await release('a1');
    expect(Object.keys(docker())).toEqual(left);
  });

  test('the directory that two registries have in common goes with the last of them', async () => {
    rmSync(join(root, 'etc/docker'), { recursive: true });
    await take('a1');
    await take('a1', { registry: IPV6 });
    await release('a1');
    expect(Object.keys(docker())).toContain('certs.d/[2001:db8::7]:5000/ca.crt');
    await release('a1', { registry: IPV6 });
    expect([contentsOf(join(root, 'etc')), notes()]).toEqual([{}, []]);
  });

  test('what the owner has put beside it keeps the directory', async () => {
    await take('a1');
    write('client.cert', 'x');
    await release('a1');
    expect(readdirSync(inRegistry(''))).toEqual(['client.cert']);
  });

  test.each<['written' | 'owner', string, string]>([
    ['written', OTHERS, OURS],
    ['owner', CA, 'ca.crt'],
  ])('hosts.toml is told of: %s', async (kind, owners, name) => {
    write('ca.crt', owners);
    write('hosts.toml', '');
    expect(await take('a1')).toEqual(taken(kind, name, true));
  });

  test('nothing to release is no failure, and leaves no trace', async () => {
    await release('a1');
    expect([docker(), contentsOf(join(root, 'run'))]).toEqual([{}, {}]);
  });
});

test('many runs at once', async () => {
  useShell('dash');
  const claims = Array.from({ length: 8 }, (_, index) => `c${index}`);
  await Promise.all(claims.map((claim) => take(claim)));
  expect(read('ca.crt')).toBe(CA);
  await Promise.all(claims.slice(1).map((claim) => release(claim)));
  expect(read('ca.crt')).toBe(CA);
  await release('c0');
  expect([docker(), notes()]).toEqual([{}, []]);
});

/** As it is after the job: a file of ours that nobody knew of is gone. */
function withoutOurs(before: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(before).filter(([path]) => !path.endsWith(OURS)));
}

describe('a run that is killed', () => {
  /** All that change something. No two of them run at the same time. */
  const COMMANDS = ['mkdir', 'mktemp', 'chmod', 'sync', 'mv', 'rm', 'rmdir'];
  const MOST_MS = 60_000;

  beforeEach(() => useShell('dash'));

  /** Lets the script, and all that it has started, be killed before its command of this number. */
  function killBefore(number: number): void {
    const left = join(root, 'left');
    writeFileSync(left, `${number}\n`);
    for (const command of COMMANDS) {
      const script = `#!/bin/sh
        read -r left <${left}
        if [ "$left" = 0 ]; then kill -KILL 0; fi
        echo $((left - 1)) >${left}
        exec ${find(command)} "$@"`;
      writeFileSync(join(bin, command), script);
      chmodSync(join(bin, command), 0o755);
    }
  }

  /** Does something again and again, killed before each of its commands in turn, and at last not. */
  async function killEach(
    prepare: () => Promise<unknown>,
    work: () => Promise<unknown>,
    check: () => Promise<unknown>,
  ): Promise<number> {
    for (let number = 0; ; number++) {
      for (const path of ['etc', 'run']) rmSync(join(root, path), { recursive: true });
      for (const path of ['etc/docker', 'run']) mkdirSync(join(root, path), { recursive: true });
      await prepare();
      killBefore(number);
      const error = await work().then(
        () => null,
        (reason: Error) => reason,
      );
      for (const command of COMMANDS) rmSync(join(bin, command));
      await check();
      if (error === null) return number;
      expect(error.message).toContain('ended with SIGKILL');
    }
  }

  /** What is noted of runs. Notes of directories that were never made, or are gone, harm nobody. */
  const claims = () => notes().filter(([path]) => path !== 'made');
  const older = () => take('c3', { pem: NEWER });

  describe.each<[string, () => Promise<unknown>, string, string[]]>([
    ['nothing', async () => undefined, 'ca.crt', []],
    ["the owner's CA", async () => write('ca.crt', OTHERS), OURS, ['ca.crt']],
    ['an older CA of ours', older, 'ca.crt', []],
  ])('while it takes, beside %s', (_case, prepare, name, stays) => {
    const check = async () => {
      const files = existsSync(inRegistry('')) ? readdirSync(inRegistry('')) : [];
      expect([files, claims()]).toEqual([stays, []]);
      expect(Object.keys(docker())).toHaveLength(stays.length === 0 ? 0 : 3);
    };

    test(
      'is released',
      async () => {
        const number = await killEach(
          prepare,
          () => take('a1'),
          async () => {
            for (const claim of ['a1', 'c3']) await release(claim);
            await check();
          },
        );
        expect(number).toBeGreaterThan(7);
      },
      MOST_MS,
    );

    test(
      'is swept by the next run',
      async () => {
        await killEach(
          prepare,
          () => take('a1'),
          async () => {
            await take('b2', { now: NOW + 2 * HOUR });
            expect(read(name)).toBe(CA);
            await release('b2');
            await check();
          },
        );
      },
      MOST_MS,
    );
  });

  test(
    'while it releases leaves the rest to the next time',
    async () => {
      const number = await killEach(
        () => take('a1'),
        () => release('a1'),
        async () => {
          await release('a1');
          expect([docker(), claims()]).toEqual([{}, []]);
        },
      );
      expect(number).toBeGreaterThan(7);
    },
    MOST_MS,
  );

  test(
    'between claim and file leaves the claim, and the next one writes the file',
    async () => {
      const seen = new Set<string>();
      await killEach(
        async () => undefined,
        () => take('a1'),
        async () => {
          const claim = claims().some(([path]) => path.endsWith('/a1'));
          seen.add(`claim ${claim}, file ${existsSync(inRegistry('ca.crt'))}`);
          await take('b2');
          expect(read('ca.crt')).toBe(CA);
        },
      );
      expect([...seen]).toEqual([
        'claim false, file false',
        'claim true, file false',
        'claim true, file true',
      ]);
    },
    MOST_MS,
  );
});

describe('what goes wrong', () => {
  const commands: string[][] = [];
  const answering = (result: Partial<ExecResult>, listed: string[] = []): RunnerHost => ({
    platform: 'linux',
    isRoot: false,
    parentPid: 1,
    dockerConfig: '',
    exec: async (command, args) => {
      commands.push([command, ...args]);
      return { status: 1, signal: null, stdout: '', stderr: '', ...result };
    },
    read: async () => null,
    list: async (path) =>
      /^\/run\/gce-registry-action\/certificates\/[0-9a-f]{16}$/.test(path) ? listed : [],
  });
  const request = { registry: REGISTRY, pem: CA, claim: 'a1', expires: NOW, now: NOW };
  const directory = certificateDirectory(REGISTRY);

  test.each<[Partial<ExecResult>, string]>([
    [{ stderr: 'sudo: a password is required\n' }, 'sudo: a password is required'],
    [{ status: null, signal: 'ENOENT' }, 'ended with ENOENT'],
    [{ status: 0, stdout: '' }, 'ended with 0'],
  ])('taking: %j', async (result, happened) => {
    const work = takeCertificate(answering(result), request);
    await expect(work).rejects.toMatchObject({
      title: 'Runner does not trust the registry',
      message: expect.stringMatching(`${happened}.*configure-runner: false`),
    });
    expect(commands.at(-1)).toEqual(expect.arrayContaining(['sudo', '-n', 'take', directory, 'a1']));
  });

  test('releasing what is there', async () => {
    const host = answering({ stderr: 'rm: Read-only file system' }, ['a1', 'written']);
    await expect(releaseCertificate(host, { directory, claim: 'a1', now: NOW })).rejects.toMatchObject({
      title: 'Runner not restored',
      message: expect.stringContaining('Read-only file system'),
    });
  });

  test('releasing without root what could not be taken without it', async () => {
    const host = answering({ stderr: 'sudo: a password is required' });
    await expect(releaseCertificate(host, { directory, claim: 'a1', now: NOW })).resolves.toBeUndefined();
  });

  test('in the script itself', async () => {
    useShell('dash');
    writeFileSync(join(root, 'etc/docker/certs.d'), '');
    await expect(take('a1')).rejects.toThrow(/mkdir: .*(Not a directory|File exists)/);
    await release('a1');
    expect(notes().filter(([path]) => path !== 'made')).toEqual([]);
  });
});
