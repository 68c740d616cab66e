import type { Facts } from '../../../../src/instance/facts/facts';
import { planInstance } from '../../../../src/instance/plan/plan';
import { requireRoomForImages } from '../../../../src/instance/plan/preconditions';
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
  ['Port in use', { listeners: [{ address: '*', port: 5000, process: 'nginx' }] }],
  ['Port in use', { listeners: [{ address: '[::]', port: 18080, process: '' }] }],
  [
    'Port in use',
    {
      running: [{ name: 'web', image: 'nginx', ports: '0.0.0.0:5000->80/tcp, :::5000->80/tcp', project: '' }],
    },
  ],
  ['Too little disk space', disk('root', { available: 1024 ** 3 })],
  ['Too little disk space', disk('root', { inodesAvailable: 10 })],
  ['Containers are cut off', { forwardingBlocked: true }],
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
  [
    'a container on another port',
    { running: [{ name: 'web', image: 'n', ports: '0.0.0.0:80->5000/tcp', project: '' }] },
  ],
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

test('a UI port that is not used may be taken', () => {
  const desired = { ...DESIRED, registry: { ...DESIRED.registry, ui: 'none' as const, uiImage: null } };
  const facts = { ...BARE, listeners: [{ address: '*', port: 18080, process: 'nginx' }] };
  expect(() => planInstance(desired, facts)).not.toThrow();
});

describe('the registry data', () => {
  const at = (dataPath: string | null) => ({ ...DESIRED, registry: { ...DESIRED.registry, dataPath } });
  const volume = converged(at(null));
  const directory = converged(at('/mnt/data'));
  const withoutContainers = (facts: Facts): Facts => ({ ...facts, containers: [], running: [] });
  const emptied = (facts: Facts): Facts => ({
    ...facts,
    data: { ...facts.data, recordedHoldsImages: false, volumeHoldsImages: false },
  });

  test.each([
    ['from the volume to a directory', volume, '/mnt/data'],
    ['from a directory to the volume', directory, null],
    ['from a directory to another', directory, '/mnt/other'],
    ['from the volume, with the container gone', withoutContainers(volume), '/mnt/data'],
    ['from a directory, with the container gone', withoutContainers(directory), null],
  ])('is not left behind %s', (_, facts, dataPath) => {
    expect(() => planInstance(at(dataPath), facts)).toThrow('Images would be stranded');
    expect(() => planInstance(at(dataPath), emptied(facts))).not.toThrow();
  });

  test('may leave a copy in the place that is not used', () => {
    const facts = { ...directory, data: { ...directory.data, volumeHoldsImages: true } };
    expect(planInstance(at('/mnt/data'), facts).steps).toEqual([]);
    expect(() => planInstance(at('/mnt/data'), withoutContainers(facts))).not.toThrow();
  });

  test('in a place that somebody chose by hand counts as images', () => {
    const containers = volume.containers.map((one) =>
      one.service === 'registry' ? { ...one, dataSource: '/elsewhere' } : one,
    );
    expect(() => planInstance(at(null), { ...volume, containers })).toThrow('Images would be stranded');
  });
});
