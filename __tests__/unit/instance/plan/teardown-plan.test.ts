import type { Facts } from '../../../../src/instance/facts/facts';
import { planTeardown, type Teardown } from '../../../../src/instance/plan/teardown-plan';
import { BARE, converged, directory } from '../example';

const PLAIN: Teardown = { deleteData: false, login: null };
const planned = (facts: Facts, changes: Partial<Teardown> = {}) => {
  const { steps, notes } = planTeardown({ ...PLAIN, ...changes }, facts);
  return {
    kinds: steps.map(({ action }) => action.kind),
    from: steps.map(({ change }) => change.from),
    notes,
  };
};

test('a bare instance has nothing to lose', () => {
  expect(planned(BARE, { deleteData: true, login: 'registry-action' }).kinds).toEqual([]);
});

test('the stack goes, and then the login', () => {
  expect(planned(converged(), { login: 'registry-action' })).toMatchObject({
    kinds: ['remove-stack', 'remove-login'],
    from: ['containers registry, front, ui, /etc/gce-registry', 'present'],
  });
  expect(planned(converged()).kinds).toEqual(['remove-stack']);
});

test.each([
  ['registry-action', true],
  [null, false],
])('a run that is cut off before the login %s goes leaves the configuration: %s', (login, loginFollows) => {
  const [step] = planTeardown({ ...PLAIN, login }, converged()).steps;
  expect(step?.action).toMatchObject({ kind: 'remove-stack', loginFollows });
});

test('the images stay, and it is said where, unless they are to go', () => {
  const { volume } = converged().data;
  const facts = { ...converged(), data: { ...converged().data, volume: { ...volume, ready: true } } };
  expect(planned(facts).notes[0]).toContain(`the images stay in ${volume.path}`);
  const all = planTeardown({ ...PLAIN, deleteData: true }, facts);
  expect(all.steps[0]).toMatchObject({
    action: { kind: 'remove-stack', deleteData: true },
    change: { from: expect.stringContaining('all images'), takesAccess: true },
  });
});

test('images that an earlier teardown left can go later', () => {
  const data = { ...BARE.data, volume: { ...BARE.data.volume, ready: true } };
  expect(planned({ ...BARE, data }).kinds).toEqual([]);
  expect(planned({ ...BARE, data }, { deleteData: true })).toMatchObject({
    kinds: ['remove-stack'],
    from: ['all images'],
  });
});

test.each([
  ['without an answer', '', ['start-engine', 'remove-stack']],
  ['that answers', '29.0.0', ['remove-stack']],
])('an engine %s', (_, engine, kinds) => {
  expect(planned({ ...converged(), engine }).kinds).toEqual(kinds);
});

test('the Compose plugin goes where a run sent it', () => {
  const path = '/usr/local/lib/docker/cli-plugins/docker-compose';
  const texts = new Map([['/etc/gce-registry/compose-release', `v2.40.3\n${path}\n`]]);
  const facts = { ...converged(), texts, compose: { path, version: '2.40.3' } };
  expect(planned(facts).kinds).toEqual(['remove-file', 'remove-stack']);
  const others = {
    ...facts,
    compose: { path: '/usr/libexec/docker/cli-plugins/docker-compose', version: '2.40.3' },
  };
  expect(planned(others).kinds).toEqual(['remove-stack']);
});

test('the data of a directory is known by the last run', () => {
  const recorded = directory('/mnt/data', { ready: true, id: '6f1e' });
  const facts = { ...converged(), data: { ...converged().data, recorded } };
  const [step] = planTeardown({ ...PLAIN, deleteData: true }, facts).steps;
  expect(step?.action).toEqual({
    kind: 'remove-stack',
    deleteData: true,
    dataPath: '/mnt/data',
    loginFollows: false,
  });
});
