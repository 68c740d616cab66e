import fc from 'fast-check';
import type { ExecResult } from '../../../src/job/exec';
import {
  type CertificateLease,
  describeCertificateLease,
  isCertificateLease,
  releaseCertificateLease,
  takeCertificateLease,
} from '../../../src/leases/certificate';
import type { RunnerHost } from '../../../src/runner/host';
import { fakeLog } from '../google/fakes';
import { DOCKER, FakeState, HOUR, NOW, termsOf } from './example';

const REGISTRY = { host: '[2001:db8::7]', port: 5000 };
const DIRECTORY = '/etc/docker/certs.d/[2001:db8::7]:5000';
const PEM = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const LEASE: CertificateLease = {
  kind: 'certificate',
  docker: DOCKER,
  directory: DIRECTORY,
  claim: 'a1',
  expires: '2026-01-01T07:00:00.000Z',
};
const SECOND = 1000;

let state: FakeState;
let commands: string[][];
/** What was noted when a command ran. */
let notedThen: unknown[];

beforeEach(() => {
  state = new FakeState();
  commands = [];
  notedThen = [];
});

/** A machine on which certificate-file.sh ends like this; `listed` is what it keeps about the directory. */
function hostWith(result: Partial<ExecResult>, listed: readonly string[] = ['a1']): RunnerHost {
  return {
    platform: 'linux',
    isRoot: true,
    parentPid: 1,
    dockerConfig: '',
    exec: async (_command, args, { stdin }) => {
      notedThen.push(...state.records);
      commands.push([...args.slice(args.indexOf('certificate-file.sh') + 1), String(stdin)]);
      return { status: 0, signal: null, stdout: '', stderr: '', ...result };
    },
    read: async () => null,
    list: async () => listed,
  };
}

const take = (result: Partial<ExecResult>) =>
  takeCertificateLease(termsOf(state), hostWith(result), REGISTRY, PEM, 'a1');

test('is noted before it is taken, with what undoes it, and for as long as the lease', async () => {
  expect(await take({ stdout: 'written\nca.crt\n' })).toEqual({
    kind: 'written',
    file: `${DIRECTORY}/ca.crt`,
    ignored: false,
  });
  expect(notedThen).toEqual([LEASE]);
  expect(state.records).toEqual([LEASE]);
  expect(state.records.every(isCertificateLease)).toBe(true);
  const [expires, now] = [(NOW + 7 * HOUR) / SECOND, NOW / SECOND].map(String);
  const pem = `${Buffer.from(PEM).toString('base64')}\n`;
  expect(commands).toEqual([['take', DIRECTORY, 'a1', expires, now, pem]]);
});

test("the owner's own is none of ours, and the note ends", async () => {
  expect(await take({ stdout: 'owner\nca.crt\nhosts.toml\n' })).toEqual({
    kind: 'owner',
    file: `${DIRECTORY}/ca.crt`,
    ignored: true,
  });
  expect([notedThen, state.records]).toEqual([[LEASE], []]);
});

test('one that failed may be there in part: the note stays', async () => {
  await expect(take({ status: 1, stderr: 'mv: No space left on device' })).rejects.toThrow(
    /^Runner does not trust the registry: .*No space left/,
  );
  expect(state.records).toEqual([LEASE]);
});

test('is released', async () => {
  const log = fakeLog();
  await releaseCertificateLease(LEASE, hostWith({}), log, NOW + 999);
  expect(commands).toEqual([['release', DIRECTORY, 'a1', String(NOW / SECOND), '']]);
  expect(log.lines).toEqual([`This job needs no CA in ${DIRECTORY} any more`]);
});

test.each<[string, readonly string[], RegExp | null]>([
  ['what is there', ['a1'], /^Runner not restored: .*a password is required/],
  ['what never was taken', [], null],
])('that cannot be released: %s', async (_case, listed, message) => {
  const host = hostWith({ status: 1, stderr: 'sudo: a password is required' }, listed);
  const work = releaseCertificateLease(LEASE, host, fakeLog(), NOW);
  if (message === null) await expect(work).resolves.toBeUndefined();
  else await expect(work).rejects.toThrow(message);
});

test('says what stays behind, and commands that a shell takes as they are', () => {
  expect(describeCertificateLease(LEASE)).toBe(
    `the CA in ${DIRECTORY}, which Docker on this runner trusts for that registry alone: ` +
      `\`sudo rm '${DIRECTORY}/gce-registry-action.crt'\`, or \`sudo rm '${DIRECTORY}/ca.crt'\` where there is no such ` +
      'file and that one is not yours',
  );
});

describe('a record', () => {
  test.each<[string, Record<string, unknown>]>([
    ['of another kind', { kind: 'canary' }],
    ['without a daemon', { docker: null }],
    ['with a variable that is none of Docker', { docker: { environment: { LD_PRELOAD: '/tmp/x.so' } } }],
    ['of another directory', { directory: '/etc/cron.d/x' }],
    ['of certs.d itself', { directory: '/etc/docker/certs.d/' }],
    ['of the same directory', { directory: '/etc/docker/certs.d/.' }],
    ['of the directory above', { directory: '/etc/docker/certs.d/..' }],
    ['of a directory further up', { directory: '/etc/docker/certs.d/../../cron.d' }],
    ['of a directory further down', { directory: '/etc/docker/certs.d/a:5000/b' }],
    ['of two lines', { directory: '/etc/docker/certs.d/a:5000\n' }],
    ['of two words', { directory: '/etc/docker/certs.d/a b' }],
    ['of no directory', { directory: null }],
    ['with a path for a claim', { claim: '../a1' }],
    ['with the name of another note for a claim', { claim: 'written' }],
    ['with two lines for a claim', { claim: 'a1\n' }],
    ['without a claim', { claim: '' }],
    ['without a time', { expires: 'soon' }],
  ])('%s is none', (_case, changes) => {
    expect(isCertificateLease({ ...LEASE, ...changes })).toBe(false);
  });

  test.each(['registry.example.com:443', '192.0.2.7:5000', '[2001:db8::7]:5000', '..a:1'])(
    'of %s',
    (name) => {
      expect(isCertificateLease({ ...LEASE, directory: `/etc/docker/certs.d/${name}` })).toBe(true);
    },
  );

  test('names nothing outside of certs.d, whatever it says', () => {
    const part = fc.constantFrom(
      '/etc/docker/certs.d/',
      '/',
      '..',
      '.',
      'a',
      ':5000',
      '\n',
      ' ',
      '\0',
      '\u2028',
    );
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const directory = parts.join('');
        if (!isCertificateLease({ ...LEASE, directory })) return;
        expect(new URL(`file://${directory}`).pathname.split('/')).toHaveLength(5);
        expect(directory).not.toMatch(/\s|\/\.{1,2}$/);
      }),
    );
  });
});
