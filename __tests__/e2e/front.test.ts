import { shownInBrowser } from './browser';
import { randomImage, removeImages } from './images';
import { action, environment, lab, output, shell, succeeding, waitFor } from './lab';
import { basics, served } from './machines';

// Caddy before registry and UI: what reaches it and what does not, what it holds while something is replaced behind it,
// and how an instance from before there was a front gets one.

jest.setTimeout(300_000);

let inputs: Record<string, string>;
let ip: string;

beforeAll(async () => {
  await Promise.all([lab('reset', 'registry-1'), lab('reset', 'runner')]);
  const { LAB_INSTANCE_IP, LAB_HOST_ADDRESS } = await environment();
  ip = String(LAB_INSTANCE_IP);
  const host = String(LAB_HOST_ADDRESS).replace(/\.\d+$/, '.0/24');
  inputs = { ...(await basics()), 'source-ranges': host };
});
afterAll(() => removeImages('front/image:1'));

/** The stack of 0.1.0, which published registry and UI themselves. */
const BEFORE = `name: gce-registry
services:
  registry:
    image: registry:3
    restart: always
    labels: {gce-registry.spec: before}
    ports: [{target: 5000, published: "5000", host_ip: 0.0.0.0}]
    environment: {REGISTRY_STORAGE_DELETE_ENABLED: "true", OTEL_TRACES_EXPORTER: none}
    volumes: [{type: volume, source: registry-data, target: /var/lib/registry}]
  ui:
    image: joxit/docker-registry-ui:2.6.0
    restart: always
    labels: {gce-registry.spec: before}
    ports: [{target: 80, published: "18080", host_ip: 0.0.0.0}]
    environment: {SINGLE_REGISTRY: "true", NGINX_PROXY_PASS_URL: "http://registry:5000"}
volumes:
  registry-data: {}
`;

/** Asks the registry every 0.1 s from outside until told to end; statuses and the milliseconds at which they came. */
async function polling(path: string): Promise<() => Promise<{ at: number; status: string }[]>> {
  await output(
    'runner',
    `rm -f /tmp/polling.end /tmp/polling.log
     systemd-run --quiet --collect --unit polling bash -c 'until [ -e /tmp/polling.end ]; do
       echo "$(date +%s%3N) $(curl -s -o /dev/null -m 15 -w "%{http_code}" http://${ip}:5000${path})" >>/tmp/polling.log
       sleep 0.1
     done'`,
  );
  await waitFor('runner', 'grep -q . /tmp/polling.log');
  return async () => {
    await output('runner', 'touch /tmp/polling.end');
    await waitFor('runner', '! systemctl is-active --quiet polling');
    return (await output('runner', 'cat /tmp/polling.log')).split('\n').map((line) => {
      const [at, status] = line.split(' ');
      return { at: Number(at), status: String(status) };
    });
  };
}

test('an instance from before gets a front in one run: the images stay, and are away for 3 s at most', async () => {
  const first = await succeeding({ ...inputs, tags: 'kept:1' });
  await output(
    'registry-1',
    `cd /etc/gce-registry && docker compose down && rm -rf front registry.env compose.override.yaml
     cat >compose.yaml <<'E'
${BEFORE}E
     docker compose up --detach --quiet-pull && docker image rm caddy:2.11.9`,
  );
  expect(await served('registry-1', ['kept:1'])).toEqual({ 'kept:1': first.outputs.digest });
  const end = await polling('/v2/kept/tags/list');
  const seen = await succeeding({ ...inputs, mode: 'bootstrap' });
  const answers = await end();
  expect(JSON.parse(String(seen.outputs.changes)).length).toBeGreaterThan(0);
  expect(await served('registry-1', ['kept:1'])).toEqual({ 'kept:1': first.outputs.digest });
  // Nothing but the answer or none: no answer is a wrong one.
  expect([...new Set(answers.map(({ status }) => status))].sort()).toEqual(['000', '200']);
  const good = answers.filter(({ status }) => status === '200').map(({ at }) => at);
  const gaps = good.slice(1).map((at, index) => at - Number(good[index]));
  expect(Math.max(...gaps)).toBeLessThan(3000);
  expect((await succeeding({ ...inputs, mode: 'bootstrap' })).outputs.changed).toBe('false');
});

test('the front alone is published, and its admin endpoint is for nobody', async () => {
  const published = await output(
    'registry-1',
    `docker ps --format '{{.Names}} {{.Ports}}' | grep -e '->' || true`,
  );
  expect(published).toMatch(/^gce-registry-front-1 [^\n]*$/);
  expect(await output('registry-1', 'docker exec gce-registry-front-1 sh -c "netstat -ltn"')).not.toContain(
    ':2019',
  );
  const others = await shell(
    'registry-1',
    'docker exec gce-registry-ui-1 wget -q -T 3 -O /dev/null http://front:2019/config/ 2>&1',
  );
  expect(others.status).not.toBe(0);
  const paths = ['/config/', '/load', '/reverse_proxy/upstreams'];
  for (const path of paths) {
    const { stdout } = await shell('runner', `curl -s -m 5 -X POST http://${ip}:5000${path}`);
    expect(stdout).not.toMatch(/apps|upstreams|listen/);
  }
});

test('page and registry stand at one port, where one is asked for', async () => {
  const one = { ...inputs, 'ui-port': '5000', tags: 'one:port' };
  const seen = await succeeding(one);
  expect(seen.outputs['ui-url']).toBe(`http://${ip}:5000`);
  expect(await shownInBrowser(`http://${ip}:5000/`, ['one'])).toContain('one');
  expect(await output('registry-1', "ss -Hltn '( sport = 18080 )'")).toBe('');
  expect((await succeeding(one)).outputs.changed).toBe('false');
  await succeeding({ ...inputs, mode: 'bootstrap' });
});

test('what a proxy with TLS before the instance says of the scheme comes through', async () => {
  const location = (header: string) =>
    output(
      'runner',
      `curl -fsS -o /dev/null -D - -X POST -H '${header}' http://${ip}:5000/v2/a/blobs/uploads/ | tr -d '\\r' | sed -n 's/^[Ll]ocation: //p'`,
    );
  expect(await location('X-Forwarded-Proto: https')).toMatch(`https://${ip}:5000/v2/a/`);
  expect(await location('X-Other: x')).toMatch(`http://${ip}:5000/v2/a/`);
});

test('an upload that is under way goes on after the registry was started again; what is asked meanwhile waits', async () => {
  const [half, rest] = ['first half, ', 'second half'];
  const digest = await output('runner', `printf '%s' '${half}${rest}' | sha256sum | cut -d ' ' -f 1`);
  const send = (method: string, url: string, data: string) =>
    output(
      'runner',
      `printf '%s' '${data}' | curl -fsS -X ${method} -H 'Content-Type: application/octet-stream' --data-binary @- -o /dev/null -D - '${url}' | tr -d '\\r' | sed -n 's/^[Ll]ocation: //p'`,
    );
  const begun = await send('POST', `http://${ip}:5000/v2/paused/blobs/uploads/`, '');
  const going = await send('PATCH', begun, half);
  await output('registry-1', 'docker restart --time 1 gce-registry-registry-1 >/dev/null');
  const more = await send('PATCH', going, rest);
  await send('PUT', `${more}&digest=sha256:${digest}`, '');
  expect(await output('runner', `curl -fsS http://${ip}:5000/v2/paused/blobs/sha256:${digest}`)).toBe(
    half + rest,
  );
});

test('a push through which UI and front are configured anew is not cut off', async () => {
  // The other page is another file, and asks for a registry of before.
  const old = { ...inputs, 'registry-image': 'registry:2' };
  await succeeding({ ...old, mode: 'bootstrap' });
  await randomImage('front/image:1', 3, 40);
  await lab('fault', 'slow-network', '200');
  const pushing = succeeding({ ...old, image: 'front/image:1', tags: 'long:1' }).finally(() =>
    lab('fault', 'clear'),
  );
  const uploads =
    '/var/lib/docker/volumes/gce-registry_registry-data/_data/docker/registry/v2/repositories/long';
  await waitFor('registry-1', `find ${uploads}/_uploads -name data -size +1M | grep -q .`);
  const front = () =>
    output('registry-1', "docker inspect -f '{{.Id}} {{.State.StartedAt}}' gce-registry-front-1");
  const before = await front();
  const bytes = () => output('registry-1', 'sha256sum /etc/gce-registry/front/Caddyfile');
  const file = await bytes();
  await succeeding({ ...old, mode: 'bootstrap', ui: 'hyper' });
  expect(await bytes()).not.toBe(file);
  expect(await front()).toBe(before);
  const seen = await pushing;
  expect(seen.maskedLog).not.toMatch(/; again in /);
  expect(await served('registry-1', ['long:1'])).toEqual({ 'long:1': seen.outputs.digest });
  await succeeding({ ...inputs, mode: 'bootstrap' });
});

test('heads that are large, or come by the byte, have an end; so has a directory that somebody removed', async () => {
  const slow = output(
    'registry-1',
    `exec 3<>/dev/tcp/127.0.0.1/5000; printf 'GET /v2/ HTTP/1.1\\r\\nX-A: ' >&3
     (for turn in {1..18}; do sleep 5; printf a >&3 || exit; done) 2>/dev/null &
     start=$SECONDS; timeout 90 cat <&3 >/dev/null || true
     echo $((SECONDS - start)); kill %1`,
  );
  const large = `curl -s -o /dev/null -w '%{http_code}' -H "X-A: $(head -c 60000 /dev/zero | tr '\\0' a)" http://${ip}:5000/v2/`;
  expect(await output('runner', large)).toBe('431');
  await output('registry-1', 'rm -rf /etc/gce-registry/front');
  await succeeding({ ...inputs, mode: 'bootstrap' });
  expect((await succeeding({ ...inputs, mode: 'bootstrap' })).outputs.changed).toBe('false');
  expect(Number(await slow)).toBeLessThan(60);
});

test('a front that is no Caddy is named before it takes the place of the one that is, and the next run is well', async () => {
  const before = await output('registry-1', "docker inspect -f '{{.State.StartedAt}}' gce-registry-front-1");
  const wrong = { ...inputs, mode: 'bootstrap', 'front-image': 'registry:3' };
  const { exitCode, annotations } = await action(wrong);
  expect(exitCode).toBe(1);
  expect(annotations.map(({ message }) => message).join()).toMatch(
    /^The front refuses its configuration: .*caddy/,
  );
  expect(await output('runner', `curl -fsS http://${ip}:5000/v2/`)).toBe('{}');
  await succeeding({ ...inputs, mode: 'bootstrap' });
  expect(await output('registry-1', "docker inspect -f '{{.State.StartedAt}}' gce-registry-front-1")).toBe(
    before,
  );
});

test('a container that keeps ending is named at once, and the next run is well', async () => {
  const { exitCode, annotations, seconds } = await action({
    ...inputs,
    mode: 'bootstrap',
    'registry-image': 'hello-world:latest',
  });
  expect(exitCode).toBe(1);
  expect(annotations.map(({ message }) => message).join()).toMatch(/^Registry did not start: /);
  expect(seconds).toBeLessThan(60);
  await succeeding({ ...inputs, mode: 'bootstrap' });
  expect(await output('runner', `curl -fsS http://${ip}:5000/v2/`)).toBe('{}');
});
