import { parse } from 'yaml';
import { COMPOSE_FILE, joxitTitle, publishedPorts, UI_FILE } from '../../../../src/instance/stack/services';
import { DATA_PATH_FILE, type Surroundings, stackOf as stackAt } from '../../../../src/instance/stack/stack';
import { DESIRED } from '../example';

const { registry } = DESIRED;
const stackOf = (inputs: typeof registry, surroundings: Partial<Surroundings> = {}) =>
  stackAt(inputs, {
    dataPath: null,
    subnet: null,
    ipv6: false,
    serverName: null,
    logins: null,
    ...surroundings,
  });
const compose = (text: string | null | undefined) => parse(text ?? '');

test('the default stack', () => {
  const { services, files } = stackOf(registry);
  expect(services.map(({ name, ports }) => [name, ports[0]?.published])).toEqual([
    ['registry', undefined],
    ['front', 5000],
    ['ui', undefined],
  ]);
  const main = compose(files[COMPOSE_FILE]);
  expect(main.services.registry).toMatchObject({
    image: 'registry:3',
    restart: 'always',
    volumes: [{ type: 'volume', source: 'registry-data', target: '/var/lib/registry' }],
    labels: { 'gce-registry.spec': services[0]?.spec },
  });
  expect(main.services.front).toMatchObject({
    image: 'caddy:2.11.9',
    ports: [
      { target: 5000, published: '5000', host_ip: '0.0.0.0' },
      { target: 18080, published: '18080', host_ip: '0.0.0.0' },
    ],
    labels: { 'gce-registry.spec': services[1]?.spec },
  });
  expect(compose(files[UI_FILE]).services.ui).toMatchObject({
    image: 'joxit/docker-registry-ui:2.6.0',
    environment: { REGISTRY_TITLE: 'vm registry' },
  });
  expect(files[DATA_PATH_FILE]).toBe('\n');
  for (const text of Object.values(files)) expect(text).not.toMatch(/\$\{/);
});

test('on the loopback alone, with IPv6 or without, nobody is to reach it from outside', () => {
  const inputs = { ...registry, loopback: true };
  const { files } = stackOf(inputs, { ipv6: true });
  expect(compose(files[COMPOSE_FILE]).services.front.ports).toEqual([
    { target: 5000, published: '5000', host_ip: '127.0.0.1' },
    { target: 18080, published: '18080', host_ip: '127.0.0.1' },
  ]);
  expect([publishedPorts(inputs), publishedPorts(registry)]).toEqual([[], [5000, 18080]]);
});

test('the front alone publishes ports', () => {
  for (const changes of [{}, { uiPort: 5000 }, { ui: 'none' as const, uiImage: null }]) {
    const { services, files } = stackOf({ ...registry, ...changes });
    const described = { ...compose(files[COMPOSE_FILE]).services, ...compose(files[UI_FILE])?.services };
    expect(Object.keys(described).sort()).toEqual(services.map(({ name }) => name).sort());
    expect(Object.keys(described).filter((name) => described[name].ports !== undefined)).toEqual(['front']);
  }
});

test.each<[string, Partial<typeof registry>, string[]]>([
  ['two ports', {}, ['0.0.0.0:5000', '0.0.0.0:18080']],
  ['one port for both', { uiPort: 5000 }, ['0.0.0.0:5000']],
  ['no UI', { ui: 'none', uiImage: null }, ['0.0.0.0:5000']],
])('%s of the front', (_, changes, expected) => {
  const { files, front } = stackOf({ ...registry, ...changes });
  const ports: { host_ip: string; published: string }[] = compose(files[COMPOSE_FILE]).services.front.ports;
  expect(ports.map((port) => `${port.host_ip}:${port.published}`)).toEqual(expected);
  const listens = expected.map((address) => `:${address.split(':')[1]}`).join(', ');
  expect(front.content).toContain(`\n${listens} {\n`);
});

test('with TLS the front shows one certificate to all, and leads on who comes without', () => {
  const content = (serverName: string | null) => stackOf(registry, { serverName }).front.content;
  expect(content(null)).not.toMatch(/tls|sni/);
  const lines = content('192.0.2.7')
    .split('\n')
    .map((line) => line.trim());
  expect(lines).toEqual(
    expect.arrayContaining([
      'default_sni 192.0.2.7',
      'fallback_sni 192.0.2.7',
      'http_redirect',
      'tls /etc/caddy/tls/server.pem /etc/caddy/tls/server.pem',
    ]),
  );
  // The redirect stands at the ports that speak TLS, and not before the health check of the container.
  const redirected = [...content('192.0.2.7').matchAll(/\tservers (.*)\{[^}]*http_redirect/g)].map(
    ([, at]) => at,
  );
  expect(redirected).toEqual([':5000 ', ':18080 ']);
});

test('a directory for the data', () => {
  const { files } = stackOf(registry, { dataPath: '/mnt/my disk' });
  expect(compose(files[COMPOSE_FILE]).services.registry.volumes).toEqual([
    { type: 'tmpfs', target: '/var/lib/registry' },
    {
      type: 'bind',
      source: '/mnt/my disk/docker',
      target: '/var/lib/registry/docker',
      bind: { create_host_path: false },
    },
  ]);
  expect(files[DATA_PATH_FILE]).toBe('/mnt/my disk\n');
});

test('publishes on every address by name, of IPv6 where the instance has it', () => {
  const { files } = stackOf(registry, { ipv6: true });
  const ports: { host_ip: string; published: string }[] = compose(files[COMPOSE_FILE]).services.front.ports;
  expect(ports.map((port) => `${port.host_ip} ${port.published}`)).toEqual([
    '0.0.0.0 5000',
    ':: 5000',
    '0.0.0.0 18080',
    ':: 18080',
  ]);
  expect(publishedPorts(registry)).toEqual([5000, 18080]);
});

test('a network of its own choice where one is given', () => {
  expect(compose(stackOf(registry).files[COMPOSE_FILE]).networks).toEqual({});
  expect(compose(stackOf(registry, { subnet: '192.168.240.0/24' }).files[COMPOSE_FILE]).networks).toEqual({
    default: { ipam: { config: [{ subnet: '192.168.240.0/24' }] } },
  });
});

test('no UI', () => {
  const { services, files } = stackOf({ ...registry, ui: 'none', uiImage: null });
  expect(services.map(({ name }) => name)).toEqual(['registry', 'front']);
  expect(files[UI_FILE]).toBeNull();
});

test('the spec of a service changes with its own settings alone', () => {
  const specs = (changes: Partial<typeof registry>) =>
    stackOf({ ...registry, ...changes }).services.map((s) => s.spec);
  const [main, front, ui] = specs({});
  expect(specs({ title: 'other' })).toEqual([main, front, expect.not.stringMatching(`^${ui}$`)]);
  expect(specs({ port: 6000 })).toEqual([main, expect.not.stringMatching(`^${front}$`), ui]);
  expect(specs({ image: 'registry:2' })).toEqual([expect.not.stringMatching(`^${main}$`), front, ui]);
});

test('a title that looks like a placeholder stays a title', () => {
  const { files } = stackOf({ ...registry, ui: 'hyper', uiImage: 'h', title: `${'$'}{SPEC}` });
  expect(compose(files[UI_FILE]).services.ui.environment.REGISTRY_NAME).toBe(`${'$$'}{SPEC}`);
});

test("joxit's title passes through its sed and its HTML", () => {
  const sed = (replacement: string) => replacement.replace(/\\(.)/g, '$1');
  const html = (text: string) => text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
  const title = `a"b'c <i> & ~ \\1 \${X} {y} \`z\` é`;
  expect(html(sed(joxitTitle(title)))).toBe(title);
  expect(joxitTitle(title).replaceAll('\\&', '')).not.toMatch(/[&<>"'`~\\{}$]/);
});
