import { readFileSync } from 'node:fs';
import { action, lab, output, type Seen, shell, succeeding, waitFor } from './lab';
import { basics, restartDocker } from './machines';

// Runner machines as people have them: containers that must go on, daemons that are dead, hang or are not the only
// one, files that cannot be renamed, BusyBox's commands, proxies.

jest.setTimeout(300_000);

const FILE = '/etc/docker/daemon.json';
let inputs: Record<string, string>;
let registry: string;

beforeAll(async () => {
  await lab('reset');
  inputs = await basics();
  registry = String((await succeeding({ ...inputs, mode: 'bootstrap' })).outputs.registry);
  await output(
    'runner',
    `docker pull -q hello-world; docker pull -q registry:3; docker pull -q busybox
     id=$(docker create busybox); mkdir -p /opt/busybox; docker cp -L $id:/bin/busybox /opt/busybox/busybox; docker rm $id
     for name in $(/opt/busybox/busybox --list); do [ $name = busybox ] || ln -sf busybox /opt/busybox/$name; done
     docker run -d --stop-timeout 1 --name service --restart no registry:3`,
  );
});

/** The daemon and the container of a job's `services:`, which a run must leave as they are. */
const running = () =>
  output('runner', "docker inspect -f '{{.State.StartedAt}} {{.State.Running}}' service; pidof dockerd");
const content = (file = FILE) =>
  output('runner', `if [ -e ${file} ]; then base64 -w0 ${file}; else echo absent; fi`);
const errorsOf = ({ annotations }: Seen) =>
  annotations
    .filter(({ level }) => level === 'error')
    .map(({ message }) => message)
    .join('\n');
const warningsOf = ({ annotations }: Seen) =>
  annotations
    .filter(({ level }) => level === 'warning')
    .map(({ message }) => message)
    .join('\n');
const accepted = (host = '') =>
  output('runner', `docker ${host} info -f '{{json .RegistryConfig.IndexConfigs}}'`);

test('`hosts` beside the -H of docker.service: refused, and nothing is restarted', async () => {
  await output('runner', `echo '{"hosts": ["unix:///run/docker.sock"]}' >${FILE}`);
  const [before, was] = [await content(), await running()];
  const seen = await action(inputs);
  expect(errorsOf(seen)).toMatch(/^Runner daemon refuses its file: .*hosts/);
  expect([await content(), await running()]).toEqual([before, was]);
  await output('runner', `rm ${FILE}`);
});

test.each([
  ['stopped', 'sudo systemctl stop docker.service docker.socket', /does not run; it reads the file/],
  ['made to hang', 'sudo pkill -STOP -x dockerd', /does not answer/],
  ['restarted', 'sudo systemctl restart docker', /is as it was/],
])('when a later step has %s the daemon, its file is put back all the same', async (_case, step, says) => {
  await output(
    'runner',
    `printf '{ "debug": false }' >${FILE}; systemctl reset-failed docker; systemctl reload docker`,
  );
  const before = await content();
  const seen = await succeeding(inputs, ['--later', `cat ${FILE}; ${step}`]);
  expect(seen.later?.output).toContain(registry);
  expect(await content()).toBe(before);
  expect(seen.maskedLog).toMatch(says);
  await output(
    'runner',
    'pkill -CONT -x dockerd || true; systemctl reset-failed docker; systemctl restart docker.socket docker; docker start service',
  );
  await waitFor('runner', 'docker info >/dev/null');
  expect(await accepted()).not.toContain(registry);
  expect((await shell('runner', 'ls /run/gce-registry-action/*.record')).status).not.toBe(0);
});

describe('a second daemon', () => {
  const SECOND = '/etc/docker/second.json';
  const ITS = '-H unix:///run/second.sock';

  beforeAll(async () => {
    await output(
      'runner',
      `printf '{}' >${FILE}; systemctl reload docker
       printf '{ "log-level": "warn" }' >${SECOND}
       systemd-run --quiet --unit second dockerd ${ITS} --config-file ${SECOND} --group docker --data-root /var/lib/second \
         --exec-root /run/second --pidfile /run/second.pid --bridge none --iptables=false \
         --containerd /run/containerd/containerd.sock --containerd-namespace second --containerd-plugins-namespace second-plugins`,
    );
    await waitFor('runner', `docker ${ITS} info >/dev/null`);
    await output(
      'runner',
      `docker ${ITS} pull -q hello-world
       sudo -u runner docker context create second --docker host=unix:///run/second.sock`,
    );
  });
  afterAll(() =>
    output(
      'runner',
      `systemctl stop second; sudo -u runner docker context rm -f second; rm -f ${FILE} ${SECOND}`,
    ),
  );

  test.each([
    ['DOCKER_HOST', 'DOCKER_HOST=unix:///run/second.sock'],
    ['a context', 'DOCKER_CONTEXT=second'],
  ])('that %s names is configured, and not the first', async (name, variable) => {
    const [first, second, was] = [await content(), await content(SECOND), await running()];
    const seen = await succeeding({ ...inputs, tags: `second-${name === 'a context'}` }, [
      ...['--env', variable],
      ...['--later', `echo "first $(cat ${FILE})"; echo "second $(cat ${SECOND})"`],
    ]);
    expect(seen.later?.output).toContain('first {}');
    expect(seen.later?.output).toMatch(new RegExp(`second .*${registry}`, 's'));
    expect([await content(), await content(SECOND), await running()]).toEqual([first, second, was]);
    expect(await accepted(ITS)).not.toContain(registry);
  });

  test('behind a forwarder, or over TCP, is not taken for another one', async () => {
    const [first, was] = [await content(), await running()];
    const relay = `require('node:net').createServer((c) => {
      const s = require('node:net').connect('/run/second.sock'); c.pipe(s).pipe(c);
      for (const each of [c, s]) each.on('error', () => {});
    })`;
    await output(
      'runner',
      `node=$(ls -d /opt/node*/bin/node 2>/dev/null || command -v node)
       systemd-run --quiet --unit relay-unix "$node" -e "${relay}.listen('/run/relay.sock', () => require('node:fs').chmodSync('/run/relay.sock', 0o666))"
       systemd-run --quiet --unit relay-tcp "$node" -e "${relay}.listen(2375, '127.0.0.1')"`,
    );
    await waitFor(
      'runner',
      'docker -H unix:///run/relay.sock info >/dev/null && docker -H tcp://127.0.0.1:2375 info >/dev/null',
    );
    for (const [host, text] of [
      ['unix:///run/relay.sock', /listens no dockerd but /],
      ['tcp://127.0.0.1:2375', /reaches it at tcp:\/\/127\.0\.0\.1:2375/],
    ] as const) {
      const seen = await action(inputs, ['--env', `DOCKER_HOST=${host}`]);
      expect(errorsOf(seen)).toMatch(/^Runner daemon out of reach: /);
      expect(errorsOf(seen)).toMatch(text);
    }
    expect([await content(), await running()]).toEqual([first, was]);
    await output('runner', 'systemctl stop relay-unix relay-tcp');
  });
});

describe('a daemon.json that is a mount of its own', () => {
  beforeAll(() =>
    output(
      'runner',
      `printf '{ "debug": false }' >/root/mounted.json; touch ${FILE}; mount --bind /root/mounted.json ${FILE}; systemctl reload docker`,
    ),
  );
  afterAll(() => output('runner', `umount ${FILE}; rm -f ${FILE}; systemctl reload docker`));

  test('is written in place, and put back', async () => {
    const inode = `stat -c '%i %h %a' ${FILE}`;
    const [before, was, same] = [await content(), await running(), await output('runner', inode)];
    const seen = await succeeding(inputs, ['--later', `cat ${FILE}`]);
    expect(seen.later?.output).toContain(registry);
    expect([await content(), await running(), await output('runner', inode)]).toEqual([before, was, same]);
    expect(await output('runner', 'ls -A /etc/docker')).not.toContain('gce-registry');
  });

  test('and read-only is refused with its cause', async () => {
    await output('runner', `mount -o remount,ro,bind ${FILE}`);
    const seen = await action(inputs);
    expect(errorsOf(seen)).toMatch(/^Runner daemon out of reach: .*Read-only file system/);
    await output('runner', `mount -o remount,rw,bind ${FILE}`);
  });
});

describe('where the commands are those of BusyBox', () => {
  test('a whole deploy works', async () => {
    const seen = await succeeding({ ...inputs, tags: 'busybox' }, [
      ...['--env', 'PATH=/opt/busybox:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      ...['--later', '/opt/busybox/timeout --kill-after=2 5 true || echo refused'],
    ]);
    // This is what an Alpine container's `timeout` says to the options of coreutils.
    expect(seen.later?.output).toContain('refused');
    expect(await content()).toBe('absent');
  });

  test('the script that changes the file does the same', async () => {
    const script = Buffer.from(readFileSync('src/runner/daemon-file.sh')).toString('base64');
    await output('runner', `base64 -d <<<'${script}' >/tmp/daemon-file.sh; printf '{ }' >${FILE}`);
    const verbs = [`find /var/run/docker.sock`, `read ${FILE} $(pidof dockerd) judge`];
    const [theirs, ours] = [`PATH=/opt/busybox sh /tmp/daemon-file.sh`, 'sh /tmp/daemon-file.sh'];
    for (const verb of verbs) {
      expect(await output('runner', `${theirs} ${verb}`)).toBe(await output('runner', `${ours} ${verb}`));
    }
    const change = `printf '%s\\n' $(sha256sum <${FILE} | cut -d' ' -f1) absent eyJkZWJ1ZyI6dHJ1ZX0= -`;
    const swap = `swap ${FILE} $(pidof dockerd) $(sed 's/.*) //' /proc/$(pidof dockerd)/stat | cut -d' ' -f20) reload`;
    expect(await output('runner', `${change} | ${theirs} ${swap}; cat ${FILE}; rm ${FILE}`)).toBe(
      'told\n{"debug":true}',
    );
  });
});

describe('a daemon with a proxy', () => {
  const DROP_IN = '/run/systemd/system/docker.service.d/proxy.conf';
  const behind = async (proxy: string) => {
    await output(
      'runner',
      `mkdir -p ${DROP_IN.replace(/\/[^/]*$/, '')}; printf '[Service]\\nEnvironment=HTTP_PROXY=${proxy}\\n' >${DROP_IN}; systemctl daemon-reload`,
    );
    await restartDocker('runner');
  };
  afterAll(async () => {
    await output('runner', `rm -f ${DROP_IN}; systemctl daemon-reload; systemctl stop proxy || true`);
    await restartDocker('runner');
  });

  test('that swallows the push: it is named, and what to do, without its password', async () => {
    await behind('http://someone:hush@127.0.0.1:9');
    const seen = await action({ ...inputs, tags: 'proxy-1' });
    expect(errorsOf(seen)).toMatch(/^Proxy between Docker and the registry: .*127\.0\.0\.1:9.*NO_PROXY/);
    expect(errorsOf(seen)).not.toContain('hush');
  });

  test('that lets it pass is none of our business', async () => {
    const proxy = `const http = require('node:http'); http.createServer((q, a) => {
      const u = new URL(q.url, 'http://' + q.headers.host);
      q.pipe(http.request(u, { method: q.method, headers: q.headers }, (r) => { a.writeHead(r.statusCode, r.headers); r.pipe(a); }));
    }).listen(3128, '127.0.0.1')`;
    await output(
      'runner',
      `echo '${Buffer.from(proxy).toString('base64')}' | base64 -d >/tmp/proxy.cjs
      systemd-run --quiet --unit proxy "$(ls -d /opt/node*/bin/node 2>/dev/null || command -v node)" /tmp/proxy.cjs`,
    );
    await behind('http://127.0.0.1:3128');
    const seen = await succeeding({ ...inputs, tags: 'proxy-2' });
    expect(warningsOf(seen)).not.toContain('proxy');
  });
});
