import { ClientsWithoutPatience } from './clients-without-patience';
import { cutOff, type Kill } from './cutting-off';
import { action, environment, lab, output, type Seen, succeeding } from './lab';
import { basics, ownLogin, served } from './machines';
import { turns } from './scale';

// Docker's packages and the images of registry, front and page become newer while clients push and pull; an image that is no
// good is not taken, and what was there before goes on. Judged by the clients, by what is served, and by what Docker runs.

jest.setTimeout(turns(200_000, 1_200_000));

const IMAGES = { registry: 'registry:3', front: 'caddy:2.11.9', ui: 'joxit/docker-registry-ui:2.6.0' };

let inputs: Record<string, string>;
let host: string;
let kept: Record<string, string>;

beforeAll(async () => {
  await lab('fault', 'clear');
  await Promise.all([lab('reset', 'registry-1'), lab('reset', 'runner')]);
  await lab('situation', 'docker-older', 'registry-1', 'images');
  const { LAB_INSTANCE_IP, LAB_HOST_ADDRESS } = await environment();
  host = String(LAB_INSTANCE_IP);
  const range = String(LAB_HOST_ADDRESS).replace(/\.\d+$/, '.0/24');
  const all = { ...(await basics()), ...(await ownLogin()), 'source-ranges': `runner,${range}` };
  await succeeding({ ...all, tags: 'kept:1,kept:2' });
  kept = await served('registry-1', ['kept:1', 'kept:2']);
  inputs = { ...all, mode: 'bootstrap', update: 'true' };
});
afterAll(() => lab('fault', 'clear'));

const errors = ({ annotations }: Seen) => annotations.map(({ message }) => message).join('\n');
const publish = (kind: string, ...services: (keyof typeof IMAGES)[]) =>
  Promise.all(services.map((service) => lab('fault', 'hub-publishes', IMAGES[service], kind)));

/** The containers with the images that they are made from, and what a change leaves only while it goes on. */
const state = () =>
  output(
    'registry-1',
    `docker container ls --all --filter name=gce-registry --format '{{.Names}}' | sort | while read -r name; do
       docker container inspect --format '{{.Name}} {{.State.Status}} {{.Image}} {{index .Config.Labels "gcelab.published"}}' "$name"
     done
     ls -d /etc/gce-registry/change* 2>/dev/null || true
     docker image ls --format '{{.Repository}}' gce-registry/before
     nft list tables | grep gce_registry || true
     nsenter --net --target "$(docker inspect -f '{{.State.Pid}}' gce-registry-registry-1)" nft list tables | grep gce_registry || true`,
  );

async function expectServes(): Promise<void> {
  expect(await served('registry-1', Object.keys(kept))).toEqual(kept);
}

test('Docker’s packages: held ones stay, the plan names who is away meanwhile, and then nobody is', async () => {
  const version = async () =>
    Number.parseInt(await output('registry-1', "docker version -f '{{.Server.Version}}'"), 10);
  const old = await version();
  const held = await succeeding({ ...inputs, 'dry-run': 'true' });
  expect(held.maskedLog).toMatch(/docker-ce 5:26\.1.*held by the owner, and left so/);
  expect(held.outputs.changed).toBe('false');
  await output('registry-1', 'apt-mark unhold docker-ce docker-ce-cli >/dev/null');
  const plan = await succeeding({ ...inputs, 'dry-run': 'true' });
  expect(String(plan.outputs.changes)).toMatch(
    /docker-ce.*the registry is away for some seconds, and with it theirs/,
  );
  expect(await version()).toBe(old);
  await succeeding(inputs);
  expect(await version()).toBeGreaterThan(old);
  expect(await output('registry-1', "docker inspect -f '{{.State.Status}}' theirs")).toBe('running');
  await expectServes();
});

const BAD = [
  { kind: 'ends', service: 'registry', cause: /configuration error: open/ },
  { kind: 'silent', service: 'registry', cause: /it does not answer/ },
  { kind: 'elsewhere', service: 'registry', cause: /it does not serve .*status 404/ },
  ...turns([], [
    { kind: 'nobody', service: 'registry', cause: /does not take an image .*permission denied/ },
    { kind: 'silent', service: 'ui', cause: /container of ui does not answer/ },
    { kind: 'ends', service: 'front', cause: /front/ },
    { kind: 'silent', service: 'front', cause: /front/ },
  ] as const),
] as const;

describe('while clients push and pull all the time', () => {
  let clients: ClientsWithoutPatience;
  beforeAll(() => {
    clients = new ClientsWithoutPatience(host);
  });

  test('all three become newer; the second run finds nothing to do', async () => {
    await publish('newer', 'registry', 'front', 'ui');
    await succeeding(inputs);
    expect((await state()).match(/running sha256:[0-9a-f]{64} newer$/gm)).toHaveLength(3);
    await expectServes();
    const again = await succeeding(inputs);
    expect(again.outputs.changed).toBe('false');
    expect(again.ssh.commands).toBe(1);
  });

  test.each(BAD)('$service, $kind: it is not taken', async ({ kind, service, cause }) => {
    const before = await state();
    await publish(kind, service);
    const seen = await action(inputs);
    expect(seen.exitCode).toBe(1);
    expect(errors(seen)).toMatch(cause);
    expect(errors(seen)).toContain('what was there before serves again');
    expect(await state()).toBe(before);
    await expectServes();
    await lab('fault', 'clear');
    await publish('newer', 'registry', 'front', 'ui');
  });

  test('no request has failed, and all that was pushed is there', async () => {
    await clients.end();
    expect(clients.pushed.length).toBeGreaterThan(100);
    expect(clients.pulls).toBeGreaterThan(100);
  });
});

/** By the function of the script that would have come next. */
const PLACES = [
  'begin_change/keep_images',
  'hand_over_registry/is_proven',
  'let_go/has_connections',
  'compose_up',
  'take_back_registry',
  'step_start_containers/await_answers',
  'end_change',
];
const CUTS = turns<readonly { readonly kill: Kill; readonly place: string }[]>(
  [{ kill: 'script', place: 'step_start_containers/await_answers' }],
  (['script', 'power'] as const).flatMap((kill) => PLACES.map((place) => ({ kill, place }))),
);

test.each(CUTS)(
  'an update to a page that does not start, cut off by $kill before $place',
  async ({ kill, place }) => {
    await lab('fault', 'clear');
    const before = await state();
    // Whichever runs, the other one is published.
    if (!/registry-1 running \S+ newer/.test(before)) await publish('newer', 'registry', 'front');
    await publish('ends', 'ui');
    await cutOff(inputs, { name: 'step_start_containers', argument: '' }, place, kill, { seconds: 100 });
    await expectServes();
    // Without an update: what was begun is proven or undone, and afterwards there is nothing to do.
    const next = { ...inputs, update: 'false' };
    const seen = await action(next);
    if (seen.exitCode !== 0) expect(errors(seen)).toContain('what was there before serves again');
    const after = await state();
    if (place.endsWith('await_answers')) expect(seen.exitCode).toBe(1);
    if (seen.exitCode !== 0) expect(after).toBe(before);
    expect(after.split('\n')).toHaveLength(3);
    expect((await succeeding(next)).outputs.changed).toBe('false');
    await expectServes();
  },
);
