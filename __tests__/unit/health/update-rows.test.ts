import { updateRows } from '../../../src/health/update-rows';
import type { UpdateFacts } from '../../../src/instance/facts/updates';
import { servicesOf } from '../../../src/instance/stack/services';
import { converged, DESIRED } from '../instance/example';

const DAY = 86_400;
const HERE = `sha256:${'a'.repeat(64)}`;
const THERE = `sha256:${'b'.repeat(64)}`;
const UPDATES: UpdateFacts = {
  tags: [{ image: 'registry:3', digest: HERE, trouble: '' }],
  packages: [],
  listsAge: 60,
  packagesAge: 60,
  updateAge: null,
};
const security = (name: string) => ({ name, from: '1', to: '2', security: true });

function row(name: string, changes: Partial<UpdateFacts>) {
  const images = [{ id: 'sha256:1', digests: [`registry@${HERE}`], created: '', pulled: '' }];
  const facts = { ...converged(), images, updates: { ...UPDATES, ...changes } };
  const found = updateRows(facts, servicesOf(DESIRED.registry)).find((each) => each.name === name);
  if (found === undefined) throw new Error(`no row ${name}`);
  return found;
}

test.each<[string, Partial<UpdateFacts>, string, RegExp]>([
  ['Tag of registry', {}, 'healthy', /^registry:3 is what its registry has \(sha256:a{12}\)$/],
  [
    'Tag of registry',
    { tags: [{ image: 'registry:3', digest: THERE, trouble: '' }] },
    'healthy',
    /newer at its registry \(sha256:b{12}\): a run with update: true fetches it/,
  ],
  [
    'Tag of registry',
    { tags: [{ image: 'registry:3', digest: null, trouble: 'no route to host' }] },
    'healthy',
    /could not be looked up: no route to host/,
  ],
  ['Security updates', {}, 'healthy', /^none waits, as of apt's lists, of today$/],
  ['Security updates', { packages: [security('openssl')] }, 'healthy', /^1 packages wait \(openssl\)/],
  [
    'Security updates',
    { packages: 'abcdef'.split('').map(security), packagesAge: 7 * DAY, listsAge: 2 * DAY },
    'degraded',
    /^6 packages wait \(a, b, c, d, e and others\), .*of 2 days ago; nothing was installed for 7 days/,
  ],
  [
    'Security updates',
    { packages: [{ ...security('vim'), security: false }], packagesAge: 99 * DAY },
    'healthy',
    /^none waits/,
  ],
  ['Last update', {}, 'healthy', /^no run has updated anything yet$/],
  ['Last update', { updateAge: 400 * DAY }, 'healthy', /of 400 days ago$/],
])('%s %j: %s', (name, changes, state, finding) => {
  expect(row(name, changes).state).toBe(state);
  expect(row(name, changes).finding).toMatch(finding);
});

test('without having looked, there are no rows', () => {
  expect(updateRows(converged(), servicesOf(DESIRED.registry))).toEqual([]);
});
