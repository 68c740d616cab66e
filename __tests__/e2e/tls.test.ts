import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shownInBrowser, trusting } from './browser';
import { ownCertificate } from './certificates';
import { randomImage, removeImages } from './images';
import { action, complaints, environment, lab, output, shell, succeeding, waitFor } from './lab';
import { expectNothingLeft, type RunnerSnapshot, snapshotRunner } from './left-over';
import { basics } from './machines';

// TLS by an authority of the instance's own, and by a certificate that is given: from bare, and while others pull. Judged by
// Docker, OpenSSL, curl and Chromium. From one kind to another: migration.test.ts.

jest.setTimeout(300_000);

const NAME = 'registry.example.test';

let inputs: Record<string, string>;
let ip: string;
let internal: string;
let before: RunnerSnapshot;
/** A blob of 200 MB in the registry, of the repository `tls`. */
let layer: string;

beforeAll(async () => {
  await Promise.all([lab('reset', 'registry-1'), lab('reset', 'runner')]);
  const { LAB_INSTANCE_IP, LAB_INSTANCE_INTERNAL_IP, LAB_HOST_ADDRESS } = await environment();
  ip = String(LAB_INSTANCE_IP);
  internal = String(LAB_INSTANCE_INTERNAL_IP);
  const host = String(LAB_HOST_ADDRESS).replace(/\.\d+$/, '.0/24');
  inputs = { ...(await basics()), 'source-ranges': `runner,${host}`, tls: 'private-ca' };
  await output('runner', `grep -q ${NAME} /etc/hosts || echo '${ip} ${NAME}' >>/etc/hosts`);
  before = await snapshotRunner();
});

/** The text of the certificate that the front shows to who asks for an address or a name. */
const shownTo = (host: string, options: string) =>
  output(
    'registry-1',
    `openssl s_client -connect ${host}:5000 ${options} </dev/null 2>/dev/null | openssl x509 -noout -text`,
  );

/** Whether a name or an address is what the front's certificate is for, by curl with the authority alone. */
const reached = (ca: string, host: string, to: string) =>
  output(
    'registry-1',
    `cat >/tmp/ca.crt <<'END'
${ca}END
     curl -sS -o /dev/null -w '%{http_code}' --cacert /tmp/ca.crt --connect-to ::${to}: https://${host}:5000/v2/`,
  );

describe('private-ca', () => {
  let ca: string;

  test('a bare instance, one run: pushed, pulled in a later step, and nothing of it left on the runner', async () => {
    const later = `docker pull -q "$OUTPUT_image" && ls /etc/docker/certs.d/*/ &&
      docker info -f '{{json .RegistryConfig.IndexConfigs}}'`;
    const seen = await succeeding(inputs, ['--later', later]);
    expect(seen.outputs).toMatchObject({
      scheme: 'https',
      registry: `${ip}:5000`,
      'ui-url': `https://${ip}:18080`,
    });
    ca = String(seen.outputs['ca-certificate']);
    expect(seen.later?.output).toContain('ca.crt');
    expect(seen.later?.output).not.toContain(`${ip}:5000":{`);
    expect(seen.later?.exitCode).toBe(0);
    await expectNothingLeft(before);
    const pull = await shell('runner', `docker pull -q ${seen.outputs.image}`);
    expect(pull.status).not.toBe(0);
    expect(pull.stderr).toMatch(/x509: certificate signed by unknown authority/);
  });

  test('a second run changes nothing, and logs in once', async () => {
    const again = await succeeding(inputs);
    expect(again.outputs.changed).toBe('false');
    expect(again.outputs['ca-certificate']).toBe(ca);
    expect(again.ssh).toEqual({ connections: 1, commands: 1 });
    await expectNothingLeft(before);
  });

  test('every way to it has its name, with SNI and without', async () => {
    const names = [ip, internal, 'localhost', '127.0.0.1', 'registry-1.c.lab-project.internal'];
    for (const name of names) expect([name, await reached(ca, name, '127.0.0.1')]).toEqual([name, '200']);
    // On a VM of Google's it is the address of the interface.
    await output('registry-1', `ip addr add ${internal}/32 dev eth0`);
    expect(await reached(ca, ip, ip)).toBe('200');
    expect(await reached(ca, internal, internal)).toBe('200');
    expect(await shownTo('127.0.0.1', '-noservername')).toContain(`IP Address:${internal}`);
    expect(await shownTo('127.0.0.1', '-servername elsewhere.test')).toContain(`IP Address:${internal}`);
  });

  test('the authority signs for nobody else, and its key is for root alone', async () => {
    const text = await output('registry-1', 'openssl x509 -noout -text -in /etc/gce-registry/ca/ca.crt');
    expect(text).toMatch(/Name Constraints: critical/);
    expect(await output('registry-1', 'stat -c %a /etc/gce-registry/ca/ca.key')).toBe('600');
    // With the stolen key: a certificate for somebody else is refused.
    const forged = await output(
      'registry-1',
      `cd "$(mktemp -d)" && C=/etc/gce-registry/ca
       openssl req -new -newkey rsa:2048 -nodes -keyout k -subj /CN=bank.example.com -out r 2>/dev/null
       printf 'subjectAltName=DNS:bank.example.com' >e
       openssl x509 -req -in r -CA $C/ca.crt -CAkey $C/ca.key -days 9 -extfile e -out c 2>/dev/null
       openssl verify -CAfile $C/ca.crt c 2>&1 || true`,
    );
    expect(forged).toContain('permitted subtree violation');
  });

  test('a machine that was never prepared pulls after the lines of the summary', async () => {
    const { outputs, summary } = await succeeding({ ...inputs, image: 'hello-world', tags: 'summary:1' });
    const lines = /```sh\n(sudo mkdir[\s\S]*?)\n```/.exec(summary)?.[1] ?? 'false';
    await output('runner', lines);
    await output('runner', `docker pull -q ${outputs.image}`);
    // A run leaves the owner's file as it is.
    await succeeding(inputs);
    await output('runner', `docker pull -q ${outputs.image} && rm -r /etc/docker/certs.d`);
  });

  test('the page is shown without a warning by a browser that trusts the authority', async () => {
    const home = mkdtempSync(join(tmpdir(), 'home-'));
    try {
      const page = `https://${ip}:18080/`;
      expect(await shownInBrowser(page, ['summary'], trusting(home, ca))).toContain('summary');
      await expect(shownInBrowser(page, ['summary'])).rejects.toThrow(/ERR_CERT_AUTHORITY_INVALID/);
    } finally {
      rmSync(home, { recursive: true });
    }
  });

  test('a certificate that ends soon is made anew, while a pull of 200 MB goes on', async () => {
    await randomImage('tls/image:1', 1, 200);
    const { outputs } = await succeeding({ ...inputs, image: 'tls/image:1', tags: 'tls:1' });
    await output(
      'registry-1',
      `cd "$(mktemp -d)" && C=/etc/gce-registry
       openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout k -subj /CN=old -out r 2>/dev/null
       openssl x509 -noout -ext subjectAltName -in $C/front/tls/server.crt | tail -n 1 | sed 's/IP Address:/IP:/g; s/ //g; s/^/subjectAltName=/' >e
       openssl x509 -req -in r -CA $C/ca/ca.crt -CAkey $C/ca/ca.key -extfile e -out c 2>/dev/null \
         -not_before "$(date -u -d '-300 days' +%Y%m%d%H%M%SZ)" -not_after "$(date -u -d '+9 days' +%Y%m%d%H%M%SZ)"
       cat c k >$C/front/tls/server.pem && cp c $C/front/tls/server.crt
       docker exec -i gce-registry-front-1 caddy reload --force --config - --adapter caddyfile \
         --address unix//run/front/admin.sock <$C/front/Caddyfile 2>/dev/null`,
    );
    expect(await shownTo(ip, '')).toContain('Subject: CN=old');
    const check = await succeeding({ ...inputs, mode: 'health-check' });
    expect(check.outputs.health).toBe('degraded');
    expect(check.maskedLog).toMatch(/Certificate +degraded +for .*, for 8 more days/);
    layer = await output(
      'runner',
      `curl -kfsS -H 'Accept: application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json' https://${ip}:5000/v2/tls/manifests/${outputs.digest} | sed -n 's/.*"layers".*"digest": *"\\(sha256:[0-9a-f]*\\)".*/\\1/p; /"layers"/,$ s/.*"digest": *"\\(sha256:[0-9a-f]*\\)".*/\\1/p' | head -n 1`,
    );
    const pulling = output(
      'runner',
      `curl -kfsS --limit-rate 20M https://${ip}:5000/v2/tls/blobs/${layer} | sha256sum | cut -d ' ' -f 1`,
    );
    const renewed = await succeeding({ ...inputs, mode: 'bootstrap' });
    expect(renewed.outputs['ca-certificate']).toBe(ca);
    expect(String(renewed.outputs.changes)).toContain('less than a third of its time is left');
    expect(`sha256:${await pulling}`).toBe(layer);
    expect(await shownTo(ip, '')).not.toContain('Subject: CN=old');
    expect((await succeeding({ ...inputs, mode: 'bootstrap' })).outputs.changed).toBe('false');
    expect(complaints(await succeeding({ ...inputs, mode: 'health-check' }))).toBe('');
    await removeImages('tls/image:1');
  });

  test('mode push trusts it as well, and a name that is added asks for another authority', async () => {
    const pushed = await succeeding({ ...inputs, mode: 'push', tags: 'pushed:1' });
    expect(pushed.outputs['ca-certificate']).toBe(ca);
    const named = await succeeding({ ...inputs, tags: 'named:1', 'registry-host': NAME });
    expect(named.outputs.registry).toBe(`${NAME}:5000`);
    expect(named.outputs['ca-certificate']).not.toBe(ca);
    expect(named.summary).toContain('Another certificate authority signs for the registry now');
    expect(named.summary).toContain(`\`${ip}:5000\` is now \`${NAME}:5000\``);
    expect(await reached(String(named.outputs['ca-certificate']), ip, ip)).toBe('200');
    await expectNothingLeft(before);
  });

  test('an entry of the owner’s, by which Docker does not look at certificates, is named', async () => {
    await output(
      'runner',
      `mkdir -p /etc/docker && echo '{"insecure-registries": ["${ip}:5000"]}' >/etc/docker/daemon.json && systemctl reload docker`,
    );
    await waitFor('runner', `docker info | grep -q ${ip}:5000`);
    const seen = await succeeding(inputs);
    expect(seen.maskedLog).toContain(`does not look at the certificate of ${ip}:5000`);
    await output(
      'runner',
      `echo '{"insecure-registries": []}' >/etc/docker/daemon.json && systemctl reload docker`,
    );
    await waitFor('runner', `! docker info | grep -q ${ip}:5000`);
    await output('runner', 'rm /etc/docker/daemon.json');
  });
});

describe('certificate', () => {
  const given = async (names: string, days?: number): Promise<Record<string, string>> => ({
    ...inputs,
    ...(await ownCertificate(names, days)),
  });

  test('one for a name, in any order, with a root of its own: pushed, and replaced without a dropped request', async () => {
    const first = { ...(await given(`DNS:${NAME}`)), 'registry-host': NAME };
    const seen = await succeeding({ ...first, tags: 'given:1' });
    expect(seen.outputs.registry).toBe(`${NAME}:5000`);
    expect(seen.outputs['ca-certificate']).toContain('BEGIN CERTIFICATE');
    expect((await succeeding({ ...first, tags: 'given:1' })).outputs.changed).toBe('false');
    const serial = () => shownTo(ip, '');
    const shown = await serial();
    await output(
      'runner',
      `rm -f /tmp/end /tmp/log; systemd-run --quiet --collect --unit asking bash -c '
         ask() { until [ -e /tmp/end ]; do
           curl -ksS -o /dev/null -w "%{http_code}\\n" https://${NAME}:5000/v2/given/tags/list >>/tmp/log 2>&1; done; }
         ask & ask & ask & ask & wait'
       rm -f /tmp/got; systemd-run --quiet --collect --unit getting bash -c '
         curl -kfsS --limit-rate 10M https://${NAME}:5000/v2/tls/blobs/${layer} | tee /tmp/begun | sha256sum >/tmp/sum; mv /tmp/sum /tmp/got'`,
    );
    await waitFor('runner', 'grep -q 200 /tmp/log && [ -s /tmp/begun ]');
    const second = { ...(await given(`DNS:${NAME}`)), 'registry-host': NAME };
    expect((await succeeding({ ...second, mode: 'bootstrap' })).outputs.changed).toBe('true');
    expect(await serial()).not.toBe(shown);
    // The download goes on, and to its end.
    expect((await shell('runner', 'test -e /tmp/got')).status).not.toBe(0);
    await output('runner', 'touch /tmp/end');
    await waitFor('runner', '! systemctl is-active --quiet asking');
    expect(await output('runner', 'sort -u /tmp/log')).toBe('200');
    await waitFor('runner', 'test -e /tmp/got');
    expect(`sha256:${await output('runner', "cut -d ' ' -f 1 /tmp/got; rm /tmp/begun")}`).toBe(layer);
    await expectNothingLeft(before);
  });

  test('one that is not for the address of the registry is refused before anything is changed', async () => {
    const state = await output('registry-1', 'sha256sum /etc/gce-registry/front/tls/server.pem');
    const { exitCode, annotations } = await action(await given('IP:192.0.2.99'));
    expect(exitCode).toBe(1);
    expect(annotations.map(({ message }) => message).join()).toMatch(
      /^Certificate does not fit: .* it is for 192\.0\.2\.99, and not for /,
    );
    expect(await output('registry-1', 'sha256sum /etc/gce-registry/front/tls/server.pem')).toBe(state);
  });
});
