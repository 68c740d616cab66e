import { ownCertificate } from './certificates';
import { environment, lab, output, succeeding, waitFor } from './lab';
import { basics } from './machines';

// From plain HTTP to each kind of TLS and back, with 20 images, while a client asks for one by its digest ten times a second:
// it follows redirects and looks at no certificate, since what it trusts would have to change with the registry. Every
// answer is right or there is none, and that for three seconds at most.

jest.setTimeout(400_000);

const IMAGES = 20;
const MOST_DOWN_SECONDS = 3;

let inputs: Record<string, string>;
let ip: string;
let host: string;
/** By repository. */
let digests: Record<string, string>;

beforeAll(async () => {
  await lab('fault', 'clear');
  await lab('reset');
  const { LAB_INSTANCE_IP, LAB_INSTANCE_HOST, LAB_HOST_ADDRESS } = await environment();
  ip = String(LAB_INSTANCE_IP);
  host = String(LAB_INSTANCE_HOST);
  inputs = {
    ...(await basics()),
    mode: 'bootstrap',
    'source-ranges': `runner,${String(LAB_HOST_ADDRESS).replace(/\.\d+$/, '.0/24')}`,
  };
  await succeeding(inputs);
  digests = await seeded();
});

/** Images of one layer each, by the registry's API. */
async function seeded(): Promise<Record<string, string>> {
  const lines = await output(
    'registry-1',
    `cd "$(mktemp -d)"; R=http://127.0.0.1:5000/v2
     put() { at=$(curl -fsS -D - -o /dev/null -X POST "$R/$1/blobs/uploads/" | tr -d '\\r' | sed -n 's/^[Ll]ocation: //p')
       curl -fsS -o /dev/null -X PUT -H 'Content-Type: application/octet-stream' --data-binary @"$2" "$at&digest=sha256:$(hash "$2")"; }
     hash() { sha256sum "$1" | cut -d' ' -f1; }
     for n in {1..${IMAGES}}; do
       head -c 100000 /dev/urandom >layer; echo "{\\"architecture\\":\\"amd64\\",\\"os\\":\\"linux\\",\\"rootfs\\":{\\"type\\":\\"layers\\",\\"diff_ids\\":[\\"sha256:$(hash layer)\\"]}}" >config
       put "app/$n" layer; put "app/$n" config
       printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%s},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:%s","size":100000}]}' \\
         "$(hash config)" "$(stat -c %s config)" "$(hash layer)" >manifest
       curl -fsS -o /dev/null -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' --data-binary @manifest "$R/app/$n/manifests/1"
       echo "app/$n sha256:$(hash manifest)"
     done`,
  );
  return Object.fromEntries(lines.split('\n').map((line) => line.split(' ') as [string, string]));
}

/** Repositories whose image is not served in full, by its digest: manifest and both blobs. */
const incomplete = (scheme: string, port: number) =>
  output(
    'registry-1',
    `R=${scheme}://127.0.0.1:${port}/v2; get() { curl -kfsS -H 'Accept: application/vnd.oci.image.manifest.v1+json' "$R/$1"; }
     while read -r name digest; do
       manifest=$(get "$name/manifests/$digest" | base64 -w0); [ "sha256:$(base64 -d <<<"$manifest" | sha256sum | cut -d' ' -f1)" = "$digest" ] || echo "$name"
       for blob in $(base64 -d <<<"$manifest" | grep -o 'sha256:[0-9a-f]*'); do [ "sha256:$(get "$name/blobs/$blob" | sha256sum | cut -d' ' -f1)" = "$blob" ] || echo "$name"; done
     done <<'END'
${Object.entries(digests)
  .map((line) => line.join(' '))
  .join('\n')}
END`,
  );

interface Polled {
  /** Answers that are neither right nor missing. */
  readonly wrong: readonly string[];
  /** The longest time between two right answers. */
  readonly downSeconds: number;
}

/** Does something while a client polls. */
async function polling(port: number, work: () => Promise<unknown>): Promise<Polled> {
  const [name = '', digest = ''] = Object.entries(digests)[0] ?? [];
  await output(
    'runner',
    `rm -f /tmp/end /tmp/asked; systemd-run --quiet --collect --unit asking bash -c 'until [ -e /tmp/end ]; do
       status=$(curl -ksL -m 5 --max-redirs 2 -o /tmp/body -w "%{http_code}" -H "Accept: application/vnd.oci.image.manifest.v1+json" http://${ip}:${port}/v2/${name}/manifests/${digest})
       printf "%s %s sha256:%s\\n" "$(date +%s.%N)" "$status" "$(sha256sum </tmp/body | cut -d\\  -f1)" >>/tmp/asked; sleep 0.1; done'`,
  );
  await waitFor('runner', `grep -q ' 200 ${digest}$' /tmp/asked`);
  await work();
  // Once more after it, so that its end is seen.
  await output('runner', 'echo done >>/tmp/asked');
  await waitFor('runner', `sed '1,/^done/d' /tmp/asked | grep -q ' 200 ${digest}$'`);
  await output('runner', 'touch /tmp/end');
  await waitFor('runner', '! systemctl is-active --quiet asking');
  const answers = (await output('runner', 'grep -v done /tmp/asked'))
    .split('\n')
    .map((line) => line.split(' '));
  const right = answers.filter(([, status, hash]) => status === '200' && hash === digest);
  const times = right.map(([time]) => Number(time));
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? time));
  return {
    wrong: answers.filter((answer) => answer[1] !== '000' && !right.includes(answer)).map(String),
    downSeconds: Math.max(0, ...gaps),
  };
}

async function expectMoved(
  scheme: 'http' | 'https',
  changes: () => Promise<Record<string, string>>,
): Promise<string> {
  const given = { ...inputs, ...(await changes()) };
  let summary = '';
  const { wrong, downSeconds } = await polling(5000, async () => {
    const seen = await succeeding(given);
    expect(seen.outputs).toMatchObject({ changed: 'true', scheme });
    summary = seen.summary;
  });
  expect(wrong).toEqual([]);
  expect(downSeconds).toBeLessThanOrEqual(MOST_DOWN_SECONDS);
  expect(await incomplete(scheme, 5000)).toBe('');
  expect((await succeeding(given)).outputs.changed).toBe('false');
  return summary;
}

test('from plain HTTP to an authority of its own: others are told how to trust it', async () => {
  expect(await expectMoved('https', async () => ({ tls: 'private-ca' }))).toContain('BEGIN CERTIFICATE');
});

test('to Let’s Encrypt', async () => {
  await expectMoved('https', async () => ({ tls: 'acme', 'registry-host': host }));
});

test('to a certificate of the owner’s', async () => {
  await expectMoved('https', async () => ({
    ...(await ownCertificate(`DNS:${host}`)),
    'registry-host': host,
  }));
});

test('back to plain HTTP: others are told what to put into daemon.json', async () => {
  expect(await expectMoved('http', async () => ({}))).toContain('insecure-registries');
});

test('to Let’s Encrypt for the bare address, and back', async () => {
  await expectMoved('https', async () => ({ tls: 'acme' }));
  await expectMoved('http', async () => ({}));
});

test('to another port: the images are there, the old port is closed', async () => {
  const moved = { ...inputs, 'registry-port': '5001', 'ui-port': '5001', tls: 'private-ca' };
  await succeeding(moved);
  expect(await incomplete('https', 5001)).toBe('');
  const ports = await output(
    'registry-1',
    "ss -Hltn '( sport = :5000 or sport = :18080 or sport = :5001 )' | awk '{print $4}' | sed 's/.*://' | sort -u",
  );
  expect(ports).toBe('5001');
});
