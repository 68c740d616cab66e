import { cutOff } from './cutting-off';
import { environment, lab, output, succeeding } from './lab';
import { basics } from './machines';
import { turns } from './scale';

// A run is cut off while it replaces the front, at one command or another: the next run replaces it, whatever it wants, and
// nothing is left of the hand-over.

jest.setTimeout(turns(300_000, 3_600_000));

let inputs: Record<string, string>;
let url: string;
const OTHER = { 'front-image': 'caddy:other' };

beforeAll(async () => {
  await lab('fault', 'clear');
  await lab('reset', 'registry-1');
  const { LAB_INSTANCE_IP, LAB_HOST_ADDRESS } = await environment();
  url = `https://${LAB_INSTANCE_IP}:5000/v2/`;
  const host = String(LAB_HOST_ADDRESS).replace(/\.\d+$/, '.0/24');
  inputs = { ...(await basics()), mode: 'bootstrap', 'source-ranges': `runner,${host}`, tls: 'private-ca' };
  await succeeding(inputs);
  await output('registry-1', 'docker tag caddy:2.11.9 caddy:other');
});

afterAll(() => lab('fault', 'clear'));

/** What a run that was cut off could leave for ever. */
const left = () =>
  output(
    'registry-1',
    `nft list tables | grep gce_registry || true; cat /proc/sys/net/ipv4/conf/br-*/route_localnet
     docker container ls --all --filter name=front --format '{{.Names}} {{.State}}'`,
  );

async function expectFront(image: string): Promise<void> {
  expect(await left()).toBe('0\ngce-registry-front-1 running');
  expect(await output('registry-1', "docker inspect -f '{{.Config.Image}}' gce-registry-front-1")).toBe(
    image,
  );
  expect(await output('runner', `curl -ksS -m 10 -o /dev/null -w '%{http_code}' ${url}`)).toBe('200');
}

describe.each(turns(['script'] as const, ['script', 'power', 'sshd'] as const))('by %s', (kill) => {
  test.each(turns([110, 190], [20, 50, 80, 110, 130, 150, 170, 190, 210, 240, 280]))(
    'at command %i of the step: the next run goes on, and one that wants the old front gets it',
    async (command) => {
      const step = { name: 'step_start_containers', argument: '' };
      await cutOff({ ...inputs, ...OTHER }, step, command, kill);
      await succeeding({ ...inputs, ...OTHER });
      await expectFront('caddy:other');
      await cutOff(inputs, step, command, kill);
      await succeeding({ ...inputs, ...OTHER });
      await expectFront('caddy:other');
      await succeeding(inputs);
      await expectFront('caddy:2.11.9');
    },
  );
});
