import type { Facts } from '../../../../src/instance/facts/facts';
import { planInstance } from '../../../../src/instance/plan/plan';
import { BARE, converged, DESIRED, directory } from '../example';

const at = (dataPath: string | null) => ({ ...DESIRED, registry: { ...DESIRED.registry, dataPath } });
const volume = converged(at(null));
const inDirectory = converged(at('/mnt/data'));
const wanting = (facts: Facts, path: string, changes = {}): Facts => ({
  ...facts,
  data: { ...facts.data, wanted: directory(path, changes) },
});
const withoutContainers = (facts: Facts): Facts => ({ ...facts, containers: [], listeners: [] });
const emptied = (facts: Facts): Facts => ({
  ...facts,
  data: {
    ...facts.data,
    recorded: { ...facts.data.recorded, holdsImages: false },
    volume: { ...facts.data.volume, holdsImages: false },
  },
});
const kinds = (dataPath: string | null, facts: Facts) =>
  planInstance(at(dataPath), facts).steps.map(({ action }) => action.kind);

describe('images', () => {
  test.each([
    ['from the volume to a directory', wanting(volume, '/mnt/data'), '/mnt/data'],
    ['from a directory to another', wanting(inDirectory, '/mnt/other'), '/mnt/other'],
    [
      'from the volume, with the container gone',
      withoutContainers(wanting(volume, '/mnt/data')),
      '/mnt/data',
    ],
    [
      'from a directory, with the container gone',
      withoutContainers(wanting(inDirectory, '/mnt/other')),
      '/mnt/other',
    ],
  ])('are not left behind %s', (_, facts, dataPath) => {
    expect(() => planInstance(at(dataPath), facts)).toThrow('Images would be stranded');
    expect(() => planInstance(at(dataPath), emptied(facts))).not.toThrow();
  });

  test('stay where they are when data-path says nothing', () => {
    expect(kinds(null, wanting(inDirectory, ''))).toEqual([]);
    expect(kinds(null, wanting(withoutContainers(inDirectory), ''))).not.toContain('mark-data');
  });

  test('in a place that somebody chose by hand stay there, and are not left behind', () => {
    const containers = volume.containers.map((one) =>
      one.service === 'registry' ? { ...one, dataSource: '/elsewhere' } : one,
    );
    const byHand = { ...volume, containers };
    expect(kinds(null, byHand)).toContain('make-directory');
    expect(() => planInstance(at('/mnt/data'), wanting(byHand, '/mnt/data'))).toThrow(
      'Images would be stranded',
    );
  });

  test('are in the same place under another name of it', () => {
    const linked = wanting(inDirectory, '/srv/link', { real: '/mnt/data', ready: true, holdsImages: true });
    expect(kinds('/srv/link', linked)).toEqual([]);
  });

  test('may have a copy in the place that is not used', () => {
    const facts = {
      ...inDirectory,
      data: { ...inDirectory.data, volume: { ...inDirectory.data.volume, holdsImages: true } },
    };
    expect(planInstance(at('/mnt/data'), facts).steps).toEqual([]);
    expect(() => planInstance(at('/mnt/data'), withoutContainers(facts))).not.toThrow();
  });
});

describe('data', () => {
  const identity = { id: '6f1e', mount: '/mnt/data', fileSystem: 'ext4 /dev/sdb 0a1b' };
  const unmounted = (facts: Facts): Facts => {
    const gone = directory('/mnt/data');
    return { ...facts, data: { ...facts.data, recorded: gone, wanted: gone, identity } };
  };

  test.each<[string, Facts, string | null]>([
    ['of a disk that is not mounted', unmounted(inDirectory), '/mnt/data'],
    ['of such a disk, where data-path says nothing', wanting(unmounted(inDirectory), ''), null],
    ['of such a disk, with the container gone', withoutContainers(unmounted(inDirectory)), '/mnt/data'],
    ['of such a disk, where data-path names another place', wanting(unmounted(inDirectory), '/x'), '/x'],
    [
      'in place of which is other data',
      {
        ...inDirectory,
        data: { ...inDirectory.data, recorded: { ...inDirectory.data.recorded, id: 'other' }, identity },
      },
      '/mnt/data',
    ],
    [
      'of a volume that is empty',
      { ...volume, data: { ...volume.data, volume: directory(volume.data.volume.path) } },
      null,
    ],
  ])('%s is missed before anything is changed', (_, facts, dataPath) => {
    expect(() => planInstance(at(dataPath), facts)).toThrow(
      /^(The data of the registry is missing|Images would)/,
    );
  });

  test('that is missing is named with its disk, and what to do', () => {
    expect(() => planInstance(at('/mnt/data'), unmounted(inDirectory))).toThrow(
      /\/mnt\/data \(file system: ext4 \/dev\/sdb 0a1b, mounted at \/mnt\/data\).*findmnt '\/mnt\/data'.*sudo rm \/etc\/gce-registry\/data-id/,
    );
  });

  test('of an earlier set-up is marked, once', () => {
    const unmarked = { ...inDirectory, data: { ...inDirectory.data, identity: null } };
    expect(kinds('/mnt/data', unmarked)).toEqual(['mark-data']);
  });

  test('that was moved by hand is marked in its new place', () => {
    const moved = wanting(emptied(inDirectory), '/mnt/other', { ready: true, holdsImages: true, id: '6f1e' });
    expect(kinds('/mnt/other', moved)).toContain('mark-data');
  });

  test('gets the directory that Docker is not to make', () => {
    const steps = planInstance(at('/mnt/data'), wanting(BARE, '/mnt/data')).steps;
    expect(steps.map(({ action }) => action)).toContainEqual({
      kind: 'make-directory',
      path: '/mnt/data/docker',
    });
  });
});
