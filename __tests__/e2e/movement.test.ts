import { randomImage } from './images';
import { environment, lab, output, shell, succeeding, waitFor } from './lab';
import { basics, restartDocker } from './machines';

// What the front does while it is told of other logins, and while its container is replaced: a download of 500 MB on one
// connection goes on to its end, a push and a pull too, and whoever comes with a new connection every tenth of a second, for the
// API or a manifest by its digest, is answered. Judged by curl and Docker on the runner, and by what is left on the
// instance.

jest.setTimeout(300_000);

const LOGIN = 'ci:Writer-1';
const BLOB_MB = 500;
/** It takes 17 s: longer than a change, until the new front has taken over. */
const DOWNLOAD_RATE = '30M';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

let inputs: Record<string, string>;
let ip: string;
let image: Image;

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
  image = await uploaded();
});

/** An image of one layer of random bytes, by the registry's API. */
interface Image {
  /** Of the blob, and of the manifest: `sha256:…`. */
  readonly blob: string;
  readonly manifest: string;
}

/** Puts the image into the registry. */
async function uploaded(): Promise<Image> {
  const line = await output(
    'registry-1',
    `cd "$(mktemp -d)"; R=https://127.0.0.1:5000/v2/big; digest() { echo "sha256:$(sha256sum "$1" | cut -d' ' -f1)"; }
     put() { at=$(curl -fksS -u ${LOGIN} -D - -o /dev/null -X POST $R/blobs/uploads/ | tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
       curl -fksS -u ${LOGIN} -o /dev/null -X PUT -H 'Content-Type: application/octet-stream' -T "$1" "$at&digest=$(digest "$1")"; }
     head -c ${BLOB_MB}000000 /dev/urandom >blob; echo '{}' >config; put blob; put config
     printf '{"schemaVersion":2,"mediaType":"${MANIFEST}","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"%s","size":3},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"%s","size":${BLOB_MB}000000}]}' \
       "$(digest config)" "$(digest blob)" >manifest
     curl -fksS -u ${LOGIN} -o /dev/null -X PUT -H 'Content-Type: ${MANIFEST}' --data-binary @manifest $R/manifests/1
     echo "$(digest blob) $(digest manifest)"; rm -r "$PWD"`,
  );
  const [blob = '', manifest = ''] = line.split(' ');
  return { blob, manifest };
}

interface Watched {
  /** Of curl, and the digest of what it got. */
  readonly download: string;
  /** How many requests there were, and those that were not answered as they should be. */
  readonly asked: number;
  readonly wrong: readonly string[];
}

/** Does something while a machine downloads the blob, and asks with new connections each tenth of a second. */
async function watching(machine: string, host: string, work: () => Promise<unknown>): Promise<Watched> {
  const url = `https://${host}:5000/v2/`;
  await output(
    machine,
    `rm -f /tmp/end /tmp/asked /tmp/got /tmp/begun
     cat >/tmp/ask <<'END'
       ask() { curl -ksS -u ${LOGIN} -m 10 -o /tmp/answer -H 'Accept: ${MANIFEST}' -w '%{http_code} %{time_total} %{errormsg}' "${url}$1"; }
       until [ -e /tmp/end ]; do
         echo "$(ask '') -" >>/tmp/asked
         echo "$(ask big/manifests/${image.manifest}) sha256:$(sha256sum </tmp/answer | cut -d' ' -f1)" >>/tmp/asked
         sleep 0.1
       done
END
     systemd-run --quiet --collect --unit asking bash /tmp/ask
     systemd-run --quiet --collect --unit getting bash -c 'set -o pipefail
       digest=$(curl -ksS -u ${LOGIN} --limit-rate ${DOWNLOAD_RATE} ${url}big/blobs/${image.blob} | tee >(head -c 1 >/tmp/begun; cat >/dev/null) | sha256sum)
       echo "$? sha256:$digest" >/tmp/got'`,
  );
  await waitFor(machine, 'grep -q ^200 /tmp/asked && [ -s /tmp/begun ]');
  await work();
  await waitFor(machine, 'test -e /tmp/got');
  await output(machine, 'touch /tmp/end');
  await waitFor(machine, '! systemctl is-active --quiet asking');
  const lines = (await output(machine, 'cat /tmp/asked')).split('\n');
  const isRight = (line: string) =>
    /^200 /.test(line) && (line.endsWith(' -') || line.endsWith(` ${image.manifest}`));
  return {
    download: (await output(machine, 'cat /tmp/got')).replace(/ *-$/, ''),
    asked: lines.length,
    wrong: lines.filter((line) => !isRight(line)),
  };
}

/** The download goes on now. */
const expectGoingOn = async (machine: string) =>
  expect((await shell(machine, 'systemctl is-active --quiet getting && test ! -e /tmp/got')).status).toBe(0);

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
  const { download, asked, wrong } = await watching(machine, host, work);
  expect(wrong).toEqual([]);
  expect(asked).toBeGreaterThan(20);
  expect(download).toBe(`0 ${image.blob}`);
}

/** The same while the front is replaced: a second one has taken over while the download stands at the first. */
async function expectHandedOverUndisturbed(
  wanted: string,
  changes: Record<string, string> = {},
  [machine, host] = ['runner', ip],
): Promise<void> {
  await expectUndisturbed(
    () =>
      Promise.all([
        expectHandedOver(wanted, changes),
        waitFor(
          'registry-1',
          "nft list chain ip gce_registry_hand_over own 2>/dev/null | grep -q 'dport 5000'",
        ).then(() => expectGoingOn(machine)),
      ]),
    [machine, host],
  );
}

async function expectHandedOver(wanted: string, changes: Record<string, string> = {}): Promise<void> {
  const before = await frontNow();
  const { outputs } = await succeeding({ ...inputs, ...changes, 'front-image': wanted });
  expect(outputs.changed).toBe('true');
  const after = await frontNow();
  expect(after.image).toBe(`gce-registry-front-1 ${wanted}`);
  expect(after.id).not.toBe(before.id);
  expect(after.left).toBe(before.left);
}

test('other logins', async () => {
  const before = await frontNow();
  await expectUndisturbed(async () => {
    await succeeding({ ...inputs, readers: 'pod:Reader-1' });
    await expectGoingOn('runner');
  });
  expect(await frontNow()).toEqual(before);
  expect(
    await output('runner', `curl -ksS -u pod:Reader-1 -o /dev/null -w '%{http_code}' https://${ip}:5000/v2/`),
  ).toBe('200');
});

test('another image of the front', async () => {
  await expectHandedOverUndisturbed('caddy:other');
});

test('another image of the front, while Docker pushes, and one more, while it pulls', async () => {
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
  await output('runner', `docker image rm ${ip}:5000/moved:1`);

  // So that the pull takes longer than the change.
  await lab('fault', 'slow-network', '100');
  const handingOver = expectHandedOver('caddy:other');
  await waitFor('registry-1', 'docker container inspect gce-registry-front-next >/dev/null 2>&1');
  const pulling = shell('runner', `docker pull --quiet ${ip}:5000/moved:1; date +%s.%N`);
  await handingOver;
  const pulled = await pulling;
  await lab('fault', 'clear');
  expect([pulled.status, pulled.stderr, pulled.stdout]).toEqual([0, '', expect.stringContaining('moved:1')]);
  const began = await output(
    'registry-1',
    'date -d "$(docker container inspect -f {{.State.StartedAt}} gce-registry-front-1)" +%s.%N',
  );
  expect(Number(pulled.stdout.split('\n')[1])).toBeGreaterThan(Number(began));
  await output('runner', `docker logout ${ip}:5000 && rm -r /etc/docker/certs.d`);
});

// Docker then has no process for each port, or makes its rules with nftables itself.
test.each([
  ['userland-proxy', '{"userland-proxy": false}', 'caddy:2.11.9'],
  ['firewall-backend', '{"firewall-backend": "nftables"}', 'caddy:other'],
])('another image of the front, where Docker has another %s', async (_, daemonJson, wanted) => {
  await output('registry-1', `echo '${daemonJson}' >/etc/docker/daemon.json`);
  await restartDocker('registry-1');
  await waitFor('runner', `curl -fksS -u ${LOGIN} https://${ip}:5000/v2/`);
  await expectHandedOverUndisturbed(wanted);
  await output('registry-1', 'rm /etc/docker/daemon.json');
  await restartDocker('registry-1');
});

test('another image of the front behind the loopback alone, as with `route: ssh`', async () => {
  const inside = { route: 'ssh', 'source-ranges': '', 'front-image': 'caddy:other' };
  await succeeding({ ...inputs, ...inside });
  expect(await output('registry-1', "ss -Hltn 'sport = :5000' | awk '{print $4}'")).toBe('127.0.0.1:5000');
  await expectHandedOverUndisturbed('caddy:2.11.9', inside, ['registry-1', '127.0.0.1']);
  expect(await output('registry-1', "ss -Hltn 'sport = :5000' | awk '{print $4}'")).toBe('127.0.0.1:5000');
  expect((await shell('runner', `curl -ksS -m 3 https://${ip}:5000/v2/`)).status).not.toBe(0);
});
