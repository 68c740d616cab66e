import { cutOff, type Kill } from './cutting-off';
import { environment, lab, output, succeeding } from './lab';
import { basics } from './machines';
import { turns } from './scale';

// A run is cut off while it replaces the front, at one place or another: what runs then serves the registry, the next run
// gets the front that it wants, the new one or the one of before, and nothing is left of the hand-over.

jest.setTimeout(turns(150_000, 600_000));

/** By the function of the script that would have come next. */
const PLACES = {
  'before the second front starts': 'start_next',
  'while connections are led to the second front': 'comes_to_next',
  'after the old front has let go of its ports': 'drain/has_connections',
  'after the old front has ended': 'compose_up',
  'after the new front has been made': 'take_back_front',
  'after the new front has the connections back': 'take_back_front/drain',
  'after the second front has ended': 'take_back_front/end_hand_over',
};
type Place = keyof typeof PLACES;

/** Whether the run after it wants the front that the one that was cut off wanted. */
type Next = 'the same' | 'the front of before';
const EVERY = (Object.keys(PLACES) as Place[]).flatMap((place) =>
  (['the same', 'the front of before'] as const).map((next) => ({ place, next })),
);
const CUTS = turns<readonly { readonly kill: Kill; readonly place: Place; readonly next: Next }[]>(
  [
    { kill: 'script', place: 'before the second front starts', next: 'the same' },
    { kill: 'script', place: 'while connections are led to the second front', next: 'the front of before' },
    { kill: 'script', place: 'after the old front has let go of its ports', next: 'the front of before' },
    { kill: 'power', place: 'after the old front has let go of its ports', next: 'the same' },
    { kill: 'script', place: 'after the new front has been made', next: 'the front of before' },
    { kill: 'script', place: 'after the new front has the connections back', next: 'the same' },
  ],
  (['script', 'power', 'sshd', 'shell'] as const).flatMap((kill) => EVERY.map((cut) => ({ kill, ...cut }))),
);

const IMAGES = ['caddy:2.11.9', 'caddy:other'] as const;
let present: string = IMAGES[0];
let inputs: Record<string, string>;
let url: string;

beforeAll(async () => {
  await lab('fault', 'clear');
  await lab('reset', 'registry-1');
  const { LAB_INSTANCE_IP, LAB_HOST_ADDRESS } = await environment();
  url = `https://${LAB_INSTANCE_IP}:5000/v2/`;
  const host = String(LAB_HOST_ADDRESS).replace(/\.\d+$/, '.0/24');
  inputs = { ...(await basics()), mode: 'bootstrap', 'source-ranges': `runner,${host}`, tls: 'private-ca' };
  await succeeding(inputs);
  await output('registry-1', `docker tag ${IMAGES[0]} ${IMAGES[1]}`);
});

afterAll(() => lab('fault', 'clear'));

/** What a run that was cut off could leave for ever. */
const left = () =>
  output(
    'registry-1',
    `nft list tables | grep gce_registry || true; cat /proc/sys/net/ipv4/conf/br-*/route_localnet
     docker container ls --all --filter name=front --format '{{.Names}} {{.State}}'`,
  );

/** What somebody outside gets. */
const status = () => output('runner', `curl -ksS -m 10 -o /dev/null -w '%{http_code}' ${url} || true`);

test.each(CUTS)('by $kill, $place: the next run wants $next, and gets it', async ({ kill, place, next }) => {
  const before = present;
  const after = IMAGES.find((image) => image !== before) ?? before;
  const step = { name: 'step_start_containers', argument: '' };
  await cutOff({ ...inputs, 'front-image': after }, step, PLACES[place], kill, { seconds: 60 });
  // An instance that starts again begins with whatever front was there.
  if (kill === 'script') expect(await status()).toBe('200');

  present = next === 'the same' ? after : before;
  await succeeding({ ...inputs, 'front-image': present });
  expect(await left()).toBe('0\ngce-registry-front-1 running');
  expect(await output('registry-1', "docker inspect -f '{{.Config.Image}}' gce-registry-front-1")).toBe(
    present,
  );
  expect(await status()).toBe('200');
});
