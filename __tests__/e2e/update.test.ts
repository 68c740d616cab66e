import { ClientsWithoutPatience } from './clients-without-patience';
import { cutOff, type Kill } from './cutting-off';
import { action, environment, lab, output, type Seen, shell, succeeding } from './lab';
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
  const version = () => output('registry-1', "docker version -f '{{.Server.Version}}'");
  const old = await version();
  const held = await succeeding(inputs);
  expect(held.maskedLog).toMatch(/docker-ce 5:26\.1.*held by the owner, and left so/);
  expect(await version()).toBe(old);
  await output('registry-1', 'apt-mark unhold docker-ce docker-ce-cli >/dev/null');
  const plan = await succeeding({ ...inputs, 'dry-run': 'true' });
  expect(String(plan.outputs.changes)).toMatch(
    /docker-ce.*the registry is away for some seconds, and with it theirs/,
  );
  expect(await version()).toBe(old);
  await succeeding(inputs);
  expect(Number.parseInt(await version(), 10)).toBeGreaterThan(Number.parseInt(old, 10));
  expect(await output('registry-1', "docker inspect -f '{{.State.Status}}' theirs")).toBe('running');
  await expectServes();
  expect((await succeeding(inputs)).outputs.changed).toBe('false');
});

const BAD = turns(
  [
    { kind: 'ends', service: 'registry', cause: /configuration error: open/ },
    { kind: 'silent', service: 'registry', cause: /it does not answer/ },
    { kind: 'elsewhere', service: 'registry', cause: /it does not serve .*status 404/ },
    { kind: 'ends', service: 'ui', cause: /container of ui does not answer/ },
  ] as const,
  [
    { kind: 'ends', service: 'registry', cause: /configuration error: open/ },
    { kind: 'silent', service: 'registry', cause: /it does not answer/ },
    { kind: 'elsewhere', service: 'registry', cause: /it does not serve .*status 404/ },
    { kind: 'nobody', service: 'registry', cause: /does not take an image .*permission denied/ },
    { kind: 'ends', service: 'ui', cause: /container of ui does not answer/ },
    { kind: 'silent', service: 'ui', cause: /container of ui does not answer/ },
    { kind: 'ends', service: 'front', cause: /The front/ },
    { kind: 'silent', service: 'front', cause: /front/ },
  ] as const,
);

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
    expect((await succeeding({ ...inputs, update: 'false' })).outputs.changed).toBe('false');
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
  'is_proven',
  'let_go/has_connections',
  'compose_up',
  'take_back_registry',
  'finish_change',
  'end_change/docker',
];
const CUTS = turns<readonly { readonly kill: Kill; readonly place: string }[]>(
  [{ kill: 'script', place: 'let_go/has_connections' }],
  (['script', 'power'] as const).flatMap((kill) => PLACES.map((place) => ({ kill, place }))),
);

test.each(CUTS)('cut off by $kill before $place: a run without update ends it', async ({ kill, place }) => {
  const image = () => output('registry-1', "docker inspect -f '{{.Image}}' gce-registry-registry-1");
  const before = await image();
  await lab('fault', 'clear');
  if (before.includes('newer')) throw new Error(before);
  await cutOff(inputs, { name: 'step_start_containers', argument: '' }, place, kill, { seconds: 100 });
  await succeeding({ ...inputs, update: 'false' });
  await expectServes();
  expect((await state()).split('\n')).toHaveLength(3);
  expect((await shell('runner', `curl -fsS http://${host}:5000/v2/`)).stdout).toBe('{}');
  // Whatever it was, it is a whole; and the next update is as ever.
  await publish(place.length % 2 === 0 ? 'newer' : 'newer', 'registry', 'front');
  await succeeding(inputs);
  await expectServes();
});
