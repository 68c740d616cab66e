import { parse } from 'yaml';
import { COMPOSE_FILE, joxitTitle, publishedPorts, UI_FILE } from '../../../../src/instance/stack/services';
import { DATA_PATH_FILE, type Surroundings, stackOf as stackAt } from '../../../../src/instance/stack/stack';
import { DESIRED } from '../example';

const { registry } = DESIRED;
const stackOf = (inputs: typeof registry, surroundings: Partial<Surroundings> = {}) =>
  stackAt(inputs, { dataPath: null, subnet: null, ipv6: false, ...surroundings });
const compose = (text: string | null | undefined) => parse(text ?? '');

test('the default stack', () => {
  const { services, files } = stackOf(registry);
  expect(services.map(({ name, ports }) => [name, ports[0]?.published])).toEqual([
    ['registry', 5000],
    ['ui', 18080],
  ]);
  const main = compose(files[COMPOSE_FILE]);
  expect(main.services.registry).toMatchObject({
    image: 'registry:3',
    restart: 'always',
    ports: [{ target: 5000, published: '5000', host_ip: '0.0.0.0' }],
    volumes: [{ type: 'volume', source: 'registry-data', target: '/var/lib/registry' }],
    labels: { 'gce-registry.spec': services[0]?.spec },
  });
  expect(compose(files[UI_FILE]).services.ui).toMatchObject({
    image: 'joxit/docker-registry-ui:2.6.0',
    ports: [{ target: 80, published: '18080', host_ip: '0.0.0.0' }],
    environment: { REGISTRY_TITLE: 'vm registry' },
  });
  expect(files[DATA_PATH_FILE]).toBe('\n');
  for (const text of Object.values(files)) expect(text).not.toMatch(/\$\{/);
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
  for (const service of [
    compose(files[COMPOSE_FILE]).services.registry,
    compose(files[UI_FILE]).services.ui,
  ]) {
    expect(service.ports.map((port: { host_ip: string }) => port.host_ip)).toEqual(['0.0.0.0', '::']);
  }
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
  expect(services).toHaveLength(1);
  expect(files[UI_FILE]).toBeNull();
});

test('the spec of a service changes with its own settings alone', () => {
  const specs = (changes: Partial<typeof registry>) =>
    stackOf({ ...registry, ...changes }).services.map((s) => s.spec);
  const [main, ui] = specs({});
  expect(specs({ title: 'other' })[0]).toBe(main);
  expect(specs({ title: 'other' })[1]).not.toBe(ui);
  expect(specs({ port: 6000 })[0]).not.toBe(main);
  expect(specs({ port: 6000 })[1]).toBe(ui);
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
