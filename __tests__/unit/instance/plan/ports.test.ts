import type { Facts } from '../../../../src/instance/facts/facts';
import type { ContainerFacts, PublishedPort } from '../../../../src/instance/facts/stack';
import { planInstance } from '../../../../src/instance/plan/plan';
import { BARE, containersOf, converged, DESIRED } from '../example';

const on = (...ports: (readonly [string, number])[]): PublishedPort[] =>
  ports.map(([address, port]) => ({ address, port, target: 80 }));

/** Somebody else's container. */
function theirs(changes: Partial<ContainerFacts>): ContainerFacts {
  const [registry] = containersOf(DESIRED);
  if (registry === undefined) throw new Error('no registry');
  const nobody = { project: '', service: '', spec: '', dataSource: null, asked: [], published: [] };
  return { ...registry, ...nobody, name: 'web', image: 'nginx', ...changes };
}

const withTheirs = (changes: Partial<ContainerFacts>) => ({ containers: [theirs(changes)] });
const listening = (port: number, process: string, address = '0.0.0.0') => ({
  listeners: [{ address, port, process }],
});

test.each<[string, Partial<Facts>, RegExp]>([
  ['a program', listening(5000, 'nginx', '*'), /port 5000 \(registry-port\).*nginx listens on \*:5000/],
  ['a program without a name', listening(18080, '', '[::]'), /port 18080 \(ui-port\).*a program listens on/],
  ['a socket unit', listening(5000, 'systemd', '[::]'), /a socket unit of systemd.*systemctl list-sockets/],
  [
    'what a container left behind',
    listening(5000, 'docker-proxy'),
    /for no container.*systemctl restart docker/,
  ],
  ['a container', withTheirs({ published: on(['0.0.0.0', 5000]) }), /container web \(nginx\) publishes it\./],
  ['a container, of IPv6', withTheirs({ published: on(['::', 5000]) }), /container web/],
  ['a container, on one address', withTheirs({ published: on(['10.132.0.2', 5000]) }), /container web/],
  [
    'another Compose project, in a range',
    withTheirs({ project: 'shop', published: on(['0.0.0.0', 4999], ['0.0.0.0', 5000], ['0.0.0.0', 5001]) }),
    /container web \(nginx, of the Compose project shop\) publishes it, among its ports from 4999 to 5001/,
  ],
])('a port that %s has is refused', (_, changes, message) => {
  expect(() => planInstance(DESIRED, { ...BARE, ...changes })).toThrow(message);
  expect(() => planInstance(DESIRED, { ...BARE, ...changes })).toThrow(/^Port in use/);
});

test.each<[string, Partial<Facts>]>([
  ['another port', withTheirs({ published: on(['0.0.0.0', 80]) })],
  ['nothing, as it is stopped', withTheirs({ state: 'exited', restartPolicy: 'no', asked: on(['', 5000]) })],
])('a container that has %s is none of ours', (_, changes) => {
  const plan = planInstance(DESIRED, { ...BARE, ...changes });
  expect(plan.notes).toEqual([]);
});

test.each([
  ['always', 1],
  ['unless-stopped', 0],
  ['on-failure', 0],
])('a stopped container with the policy %s is worth %d notes', (restartPolicy, count) => {
  const changes = withTheirs({ state: 'exited', restartPolicy, asked: on(['', 5000]) });
  expect(planInstance(DESIRED, { ...BARE, ...changes }).notes).toHaveLength(count);
});

test('a docker-proxy of ours may be there before its container says so', () => {
  const containers = containersOf(DESIRED).map((each) => ({ ...each, state: 'restarting', published: [] }));
  const facts = { ...converged(), ...listening(5000, 'docker-proxy'), containers };
  expect(() => planInstance(DESIRED, facts)).not.toThrow();
});

test('a UI port that is not used may be taken', () => {
  const desired = { ...DESIRED, registry: { ...DESIRED.registry, ui: 'none' as const, uiImage: null } };
  expect(() => planInstance(desired, { ...BARE, ...listening(18080, 'nginx') })).not.toThrow();
});

test('containers from before there was a front give up its ports first', () => {
  const before = containersOf(DESIRED)
    .filter(({ service }) => service !== 'front')
    .map((each) => ({ ...each, published: on(['0.0.0.0', each.service === 'ui' ? 18080 : 5000]) }));
  const step = planInstance(DESIRED, { ...converged(), containers: before }).steps.find(
    ({ action }) => action.kind === 'start-containers',
  );
  expect(step?.action).toMatchObject({ stopFirst: ['registry', 'ui'] });
});

test('a front that changes its ports with itself need not stop first', () => {
  const desired = { ...DESIRED, registry: { ...DESIRED.registry, port: 18080, uiPort: 5000 } };
  const { steps } = planInstance(desired, converged());
  expect(steps.map(({ action }) => action.kind)).toEqual([
    'write-file',
    'configure-front',
    'start-containers',
  ]);
  expect(steps.at(-1)?.action).toMatchObject({ stopFirst: [] });
});

test('a front that runs does not leave its port before its successor has the other one', () => {
  const desired = { ...DESIRED, registry: { ...DESIRED.registry, port: 5001 } };
  const actions = planInstance(desired, converged()).steps.map(({ action }) => action);
  expect(actions).toContainEqual(expect.objectContaining({ kind: 'configure-front', image: 'caddy:2.11.9' }));
});

describe('a port of the loopback alone', () => {
  const desired = { ...DESIRED, registry: { ...DESIRED.registry, loopback: true } };

  test.each(['0.0.0.0', '127.0.0.1', '*', '[::]', '[::ffff:127.0.0.1]'])(
    'is refused beside %s',
    (address) => {
      const facts = { ...BARE, ...listening(5000, 'nginx', address) };
      expect(() => planInstance(desired, facts)).toThrow(/^Port in use/);
    },
  );

  test.each(['10.132.0.2', '[2001:db8::7]', '127.0.0.53%lo', '[::1]'])('has room beside %s', (address) => {
    expect(() => planInstance(desired, { ...BARE, ...listening(5000, 'nginx', address) })).not.toThrow();
    const others = withTheirs({ published: on([address, 5000]) });
    expect(() => planInstance(desired, { ...BARE, ...others })).not.toThrow();
  });
});
