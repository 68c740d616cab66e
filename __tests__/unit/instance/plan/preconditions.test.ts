import type { Facts } from '../../../../src/instance/facts/facts';
import { requireRoomForImages } from '../../../../src/instance/plan/disk-space';
import { planInstance } from '../../../../src/instance/plan/plan';
import { BARE, converged, DESIRED } from '../example';

const os = (id: string, version: string) => ({ os: { id, version, codename: '', name: `${id} ${version}` } });
const disk = (name: string, changes: object) => ({
  disks: BARE.disks.map((one) => (one.name === name ? { ...one, ...changes } : one)),
});

test.each<[string, Partial<Facts>]>([
  ['Unsupported operating system', os('debian', '11')],
  ['Unsupported operating system', os('debian', '')],
  ['Unsupported operating system', os('ubuntu', '20.04')],
  ['Unsupported operating system', os('rocky', '9')],
  ['Unsupported operating system', os('constructor', '12')],
  ['Unsupported architecture', { arch: 'riscv64' }],
  ['No systemd', { systemd: false }],
  ['Too little disk space', disk('root', { available: 1024 ** 3 })],
  ['Too little disk space', disk('root', { inodesAvailable: 10 })],
  ['Too little disk space', disk('docker', { available: 1024 ** 2 })],
])('%s: %j', (title, changes) => {
  expect(() => planInstance(DESIRED, { ...BARE, ...changes })).toThrow(title);
});

test('names the space that is needed', () => {
  expect(() => planInstance(DESIRED, { ...BARE, ...disk('root', { available: 100 * 1024 ** 2 }) })).toThrow(
    '100 MiB are free, and 1536 MiB are needed',
  );
});

test.each<[string, Partial<Facts>]>([
  ['a full disk with nothing to do', disk('root', { available: 0, inodesAvailable: 0 })],
])('allows %s', (_, changes) => {
  expect(() => planInstance(DESIRED, { ...converged(), ...changes })).not.toThrow();
});

test('a file system without inodes is no full one', () => {
  expect(() =>
    planInstance(DESIRED, { ...BARE, ...disk('root', { inodes: 0, inodesAvailable: 0 }) }),
  ).not.toThrow();
});

test.each<[string, Partial<Facts>, boolean]>([
  ['with room', {}, false],
  ['without bytes', disk('data', { available: 4 * 1024 ** 2 }), true],
  ['without inodes', disk('data', { inodesAvailable: 0 }), true],
  ['that counts no inodes', disk('data', { inodes: 0, inodesAvailable: 0 }), false],
  ['beside a full one', disk('root', { available: 0 }), false],
])('a disk of images %s', (_, changes, full) => {
  const look = expect(() => requireRoomForImages({ ...BARE, ...changes }));
  if (full) look.toThrow('Registry disk is full');
  else look.not.toThrow();
});

test('logins that are there need TLS, or that nothing but SSH leads to them', () => {
  const users = { ...BARE.users, wanted: ['ci'] };
  const loopback = { ...DESIRED, registry: { ...DESIRED.registry, loopback: true } };
  expect(() => planInstance(DESIRED, { ...BARE, users })).toThrow(/^Logins need TLS/);
  expect(() => planInstance(loopback, { ...BARE, users })).not.toThrow();
});
