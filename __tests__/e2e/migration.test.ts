import { ownCertificate } from './certificates';
import { environment, lab, output, succeeding, waitFor } from './lab';
import { basics } from './machines';

// From plain HTTP to each kind of TLS and back, and to other ports, with 20 images, while a client asks for one by its digest
// ten times a second: it follows redirects and looks at no certificate, since what it trusts would have to change with the
// registry. Every answer is right or there is none, and that for three seconds at most, where the front is replaced in place. What others have to be told
// stands in the summary of each run.

jest.setTimeout(400_000);

const IMAGES = 20;
const MOST_DOWN_SECONDS = 3;
const LOGIN = 'ci:Writer-1';
const LOGINS = { username: 'ci', password: 'Writer-1' };

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
    `R=${scheme}://127.0.0.1:${port}/v2; get() { curl -kfsS -u ${LOGIN} -H 'Accept: application/vnd.oci.image.manifest.v1+json' "$R/$1"; }
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
  /** Requests without an answer. */
  readonly unanswered: number;
}

/**
 * Does something while a client polls, at the ports that it knows, the first that answers: what the firewall drops is not
 * waited for. It has a login, which a registry
 * without logins takes no notice of.
 */
async function polling(ports: readonly number[], work: () => Promise<unknown>): Promise<Polled> {
  const [name = '', digest = ''] = Object.entries(digests)[0] ?? [];
  await output(
    'runner',
    `rm -f /tmp/end /tmp/asked; systemd-run --quiet --collect --unit asking bash -c 'until [ -e /tmp/end ]; do
       for port in ${ports.join(' ')}; do
         status=$(curl -ks --location-trusted -m 5 --connect-timeout 0.5 --max-redirs 2 -u ${LOGIN} -o /tmp/body -w "%{http_code}" -H "Accept: application/vnd.oci.image.manifest.v1+json" http://${ip}:$port/v2/${name}/manifests/${digest})
         [ "$status" = 000 ] || break; done
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
    unanswered: answers.filter(([, status]) => status === '000').length,
  };
}

interface Moved {
  /** Of the run's summary, what others have to be told. */
  readonly told: string;
  readonly downSeconds: number;
}

async function expectMoved(
  scheme: 'http' | 'https',
  changes: Record<string, string>,
  ports: readonly [before: number, now: number] = [5000, 5000],
): Promise<Moved> {
  const given = { ...inputs, ...changes };
  let summary = '';
  const { wrong, downSeconds, unanswered } = await polling([...new Set(ports)], async () => {
    const seen = await succeeding(given);
    expect(seen.outputs).toMatchObject({ changed: 'true', scheme });
    summary = seen.summary;
  });
  expect(wrong).toEqual([]);
  const [, told = ''] = summary.split('#### What others have to be told\n');
  expect(downSeconds).toBeLessThanOrEqual(MOST_DOWN_SECONDS);
  // Who is led on to TLS may come when it is gone.
  if (!told.includes('did not answer')) expect(unanswered).toBeLessThanOrEqual(1);
  expect(await incomplete(scheme, ports[1])).toBe('');
  const again = await succeeding(given);
  expect(again.outputs.changed).toBe('false');
  expect(again.summary).not.toContain('What others');
  return { told, downSeconds };
}

/** What the page's old address answers a browser with: status and Location; `000` where nothing listens. */
const answered = (url: string) =>
  output('registry-1', `curl -ks -m 5 -o /dev/null -w '%{http_code} %{redirect_url}' ${url} || true`);

const WITHOUT_REPLACEMENT = 'its container was not replaced';
const HANDED_OVER = 'a second front took new connections, so that no request was refused';

test('from plain HTTP to an authority of its own', async () => {
  expect(await answered(`http://${ip}:18080/`)).toMatch(/^200/);
  const { told } = await expectMoved('https', { tls: 'private-ca' });
  expect(told).toContain(`remove \`${ip}:5000\` from \`insecure-registries\``);
  const ca = await output('registry-1', 'cat /etc/gce-registry/ca/ca.crt');
  expect(told).toContain(`/etc/docker/certs.d/${ip}:5000/ca.crt' >/dev/null <<'END'\n${ca}\nEND`);
  expect(told).toContain(WITHOUT_REPLACEMENT);
  expect(await answered(`http://${ip}:18080/`)).toMatch(new RegExp(`^30[1278] https://${ip}:18080/`));
});

test('to Let’s Encrypt, with a name', async () => {
  const { told } = await expectMoved('https', { tls: 'acme', 'registry-host': host });
  expect(told).toContain(`\`${ip}:5000\` is now \`${host}:5000\``);
  expect(told).toContain('is of no use any more');
  expect(told).not.toContain('BEGIN CERTIFICATE');
  expect(told).toContain(HANDED_OVER);
});

test('to a certificate of the owner’s', async () => {
  const given = { ...(await ownCertificate(`DNS:${host}`)), 'registry-host': host };
  const { told } = await expectMoved('https', given);
  expect(told).toContain('Another certificate authority signs for the registry now');
  expect(told).toContain('BEGIN CERTIFICATE');
  expect(told).not.toContain('is now');
  expect(told).toContain(HANDED_OVER);
});

test('back to plain HTTP: others are told what to put into daemon.json', async () => {
  const { told } = await expectMoved('http', {});
  expect(told).toContain(`\`\`\`json\n{"insecure-registries":["${ip}:5000"]}\n\`\`\``);
  expect(told).toContain(`\`${host}:5000\` is now \`${ip}:5000\``);
});

test('to Let’s Encrypt for the bare address, and back', async () => {
  const { told } = await expectMoved('https', { tls: 'acme' });
  expect(told).toContain(`remove \`${ip}:5000\` from \`insecure-registries\``);
  expect(told).toContain('trust nothing anew');
  await expectMoved('http', {});
});

test('to another port and a first login: the images are there, the old ports are closed', async () => {
  const moved = { ...LOGINS, 'registry-port': '5001', 'ui-port': '5001', tls: 'private-ca' };
  const { told } = await expectMoved('https', moved, [5000, 5001]);
  expect(told).toContain(`\`${ip}:5000\` is now \`${ip}:5001\``);
  expect(told).toContain(`docker login ${ip}:5001`);
  expect(told).toContain(
    `The page is at https://${ip}:5001 now, and was at http://${ip}:18080. Nothing answers`,
  );
  expect(told).toContain(HANDED_OVER);
  for (const port of [5000, 18080]) expect(await answered(`http://${ip}:${port}/`)).toMatch(/^000/);
});

// As where nftables takes no rules of ours: the front cannot be handed over.
test('back again, where the front is replaced in place: the time without an answer is told', async () => {
  const program = '/usr/local/sbin/nft';
  await output(
    'registry-1',
    `printf '%s\\n' '#!/bin/sh' 'case "$*" in *hand_over*) exit 1 ;; esac' 'exec /usr/sbin/nft "$@"' >${program} && chmod +x ${program}`,
  );
  const { told, downSeconds } = await expectMoved('https', { ...LOGINS, tls: 'private-ca' }, [5001, 5000]);
  await output('registry-1', `rm ${program}`);
  const stated = Number(/the registry did not answer for (\d+\.\d) s\./.exec(told)?.[1]);
  expect(stated).toBeGreaterThan(0.1);
  expect(Math.abs(stated - downSeconds)).toBeLessThan(1.5);
});
