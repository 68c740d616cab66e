import { randomImage } from './images';
import { environment, lab, output, shell, succeeding, waitFor } from './lab';
import { basics, restartDocker } from './machines';

// What the front does while it is told of other logins, and while its container is replaced: a download on one connection
// goes on to its end, a push too, and whoever comes with a new connection every tenth of a second is answered. Judged by
// curl and Docker on the runner, and by what is left on the instance.

jest.setTimeout(300_000);

const LOGIN = 'ci:Writer-1';
const BLOB_MB = 150;

let inputs: Record<string, string>;
let ip: string;

beforeAll(async () => {
  await lab('reset');
  const { LAB_INSTANCE_IP, LAB_HOST_ADDRESS } = await environment();
  ip = String(LAB_INSTANCE_IP);
  inputs = {
    ...(await basics()),
    mode: 'bootstrap',
    'source-ranges': `runner,${String(LAB_HOST_ADDRESS).replace(/\.\d+$/, '.0/24')}`,
    tls: 'private-ca',
    username: 'ci',
    password: 'Writer-1',
  };
  await succeeding(inputs);
  // Another image of the same Caddy, as far as Docker and Compose can tell.
  await output('registry-1', 'docker tag caddy:2.11.9 caddy:other');
});

/** Puts a blob of random bytes into the registry, and returns its hash. */
const uploaded = () =>
  output(
    'registry-1',
    `cd "$(mktemp -d)"; head -c ${BLOB_MB}000000 /dev/urandom >blob; hash=$(sha256sum blob | cut -d' ' -f1)
     at=$(curl -fksS -u ${LOGIN} -D - -o /dev/null -X POST https://127.0.0.1:5000/v2/big/blobs/uploads/ | tr -d '\\r' | sed -n 's/^[Ll]ocation: //p')
     curl -fksS -u ${LOGIN} -o /dev/null -X PUT -H 'Content-Type: application/octet-stream' --data-binary @blob "$at&digest=sha256:$hash"
     rm -r "$PWD"; echo "$hash"`,
  );

interface Watched {
  /** Of curl, and the hash of what it got. */
  readonly download: string;
  /** How many requests there were, and those that were not answered with 200. */
  readonly asked: number;
  readonly wrong: readonly string[];
}

/** Does something while a machine downloads the blob, and asks with a new connection each tenth of a second. */
async function watching(
  machine: string,
  host: string,
  hash: string,
  work: () => Promise<unknown>,
): Promise<Watched> {
  const url = `https://${host}:5000/v2/`;
  await output(
    machine,
    `rm -f /tmp/end /tmp/asked /tmp/got
     systemd-run --quiet --collect --unit asking bash -c 'until [ -e /tmp/end ]; do
       curl -ksS -u ${LOGIN} -m 10 -o /dev/null -w "%{http_code} %{time_total} %{errormsg}\\n" ${url} >>/tmp/asked 2>/dev/null; sleep 0.1; done'
     systemd-run --quiet --collect --unit getting bash -c 'curl -ksS -u ${LOGIN} --limit-rate 12M ${url}big/blobs/sha256:${hash} 2>&1 >/tmp/file;
       echo "$? $(sha256sum </tmp/file)" >/tmp/got; rm /tmp/file'`,
  );
  await waitFor(machine, 'grep -q ^200 /tmp/asked && [ -s /tmp/file ]');
  await work();
  await waitFor(machine, 'test -e /tmp/got');
  await output(machine, 'touch /tmp/end');
  await waitFor(machine, '! systemctl is-active --quiet asking');
  const lines = (await output(machine, 'cat /tmp/asked')).split('\n');
  return {
    download: (await output(machine, 'cat /tmp/got')).replace(/ *-$/, ''),
    asked: lines.length,
    wrong: lines.filter((line) => !line.startsWith('200 ')),
  };
}

/** The container of the front, and what a hand-over could leave. */
const frontNow = async () => ({
  id: await output('registry-1', "docker container ls --filter name=front --format '{{.ID}}'"),
  image: await output(
    'registry-1',
    "docker container ls --all --filter name=front --format '{{.Names}} {{.Image}}'",
  ),
  left: await output(
    'registry-1',
    'nft list tables | grep gce || true; cat /proc/sys/net/ipv4/conf/br-*/route_localnet',
  ),
});

async function expectUndisturbed(
  work: () => Promise<unknown>,
  [machine, host] = ['runner', ip],
): Promise<void> {
  const hash = await uploaded();
  const { download, asked, wrong } = await watching(machine, host, hash, work);
  expect(wrong).toEqual([]);
  expect(asked).toBeGreaterThan(20);
  expect(download).toBe(`0 ${hash}`);
}

async function expectHandedOver(image: string, changes: Record<string, string> = {}): Promise<void> {
  const before = await frontNow();
  const { outputs } = await succeeding({ ...inputs, ...changes, 'front-image': image });
  expect(outputs.changed).toBe('true');
  const after = await frontNow();
  expect(after.image).toBe(`gce-registry-front-1 ${image}`);
  expect(after.id).not.toBe(before.id);
  expect(after.left).toBe(before.left);
}

test('other logins', async () => {
  const before = await frontNow();
  await expectUndisturbed(() => succeeding({ ...inputs, readers: 'pod:Reader-1' }));
  expect(await frontNow()).toEqual(before);
  expect(
    await output('runner', `curl -ksS -u pod:Reader-1 -o /dev/null -w '%{http_code}' https://${ip}:5000/v2/`),
  ).toBe('200');
});

test('another image of the front', async () => {
  await expectUndisturbed(() => expectHandedOver('caddy:other'));
});

test('another image of the front, while Docker pushes', async () => {
  await randomImage(`${ip}:5000/moved:1`, 4, 100);
  await output(
    'runner',
    `mkdir -p /etc/docker/certs.d/${ip}:5000 && base64 -d >/etc/docker/certs.d/${ip}:5000/ca.crt <<<'${await output('registry-1', 'base64 -w0 /etc/gce-registry/ca/ca.crt')}'
     docker login --username ci --password-stdin ${ip}:5000 <<<Writer-1 2>/dev/null`,
  );
  const pushing = shell('runner', `docker push --quiet ${ip}:5000/moved:1`);
  await waitFor(
    'registry-1',
    'compgen -G "/var/lib/docker/volumes/gce-registry_registry-data/_data/docker/registry/v2/repositories/moved/_uploads/*"',
  );
  await expectHandedOver('caddy:2.11.9');
  const pushed = await pushing;
  expect([pushed.status, pushed.stderr]).toEqual([0, '']);
  await output(
    'runner',
    `docker image rm ${ip}:5000/moved:1 && docker pull -q ${ip}:5000/moved:1 && docker logout ${ip}:5000 && rm -r /etc/docker/certs.d`,
  );
});

// Docker then has no process for each port, or makes its rules with nftables itself.
test.each([
  ['userland-proxy', '{"userland-proxy": false}', 'caddy:other'],
  ['firewall-backend', '{"firewall-backend": "nftables"}', 'caddy:2.11.9'],
])('another image of the front, where Docker has another %s', async (_, daemonJson, image) => {
  await output('registry-1', `echo '${daemonJson}' >/etc/docker/daemon.json`);
  await restartDocker('registry-1');
  await succeeding({ ...inputs, 'front-image': image === 'caddy:other' ? 'caddy:2.11.9' : 'caddy:other' });
  await expectUndisturbed(() => expectHandedOver(image));
  await output('registry-1', 'rm /etc/docker/daemon.json');
  await restartDocker('registry-1');
});

test('another image of the front behind the loopback alone, as with `route: ssh`', async () => {
  const inside = { route: 'ssh', 'source-ranges': '' };
  await succeeding({ ...inputs, ...inside });
  expect(await output('registry-1', "ss -Hltn 'sport = :5000' | awk '{print $4}'")).toBe('127.0.0.1:5000');
  await expectUndisturbed(() => expectHandedOver('caddy:other', inside), ['registry-1', '127.0.0.1']);
  expect(await output('registry-1', "ss -Hltn 'sport = :5000' | awk '{print $4}'")).toBe('127.0.0.1:5000');
  expect((await shell('runner', `curl -ksS -m 3 https://${ip}:5000/v2/`)).status).not.toBe(0);
});
