import { parse } from 'yaml';
import {
  COMPOSE_FILE,
  DATA_PATH_FILE,
  joxitTitle,
  stackOf,
  UI_FILE,
} from '../../../../src/instance/stack/stack';
import { DESIRED } from '../example';

const { registry } = DESIRED;
const compose = (text: string | null | undefined) => parse(text ?? '');

test('the default stack', () => {
  const { services, files } = stackOf(registry);
  expect(services.map(({ name, port }) => [name, port])).toEqual([
    ['registry', 5000],
    ['ui', 18080],
  ]);
  const main = compose(files[COMPOSE_FILE]);
  expect(main.services.registry).toMatchObject({
    image: 'registry:3',
    restart: 'always',
    ports: [{ target: 5000, published: '5000' }],
    volumes: [{ type: 'volume', source: 'registry-data', target: '/var/lib/registry' }],
    labels: { 'gce-registry.spec': services[0]?.spec },
  });
  expect(compose(files[UI_FILE]).services.ui).toMatchObject({
    image: 'joxit/docker-registry-ui:2.6.0',
    ports: [{ target: 80, published: '18080' }],
    environment: { REGISTRY_TITLE: 'vm registry' },
  });
  expect(files[DATA_PATH_FILE]).toBe('\n');
  for (const text of Object.values(files)) expect(text).not.toMatch(/\$\{/);
});

test('a directory for the data', () => {
  const { files } = stackOf({ ...registry, dataPath: '/mnt/my disk' });
  expect(compose(files[COMPOSE_FILE]).services.registry.volumes).toEqual([
    { type: 'bind', source: '/mnt/my disk', target: '/var/lib/registry' },
  ]);
  expect(files[DATA_PATH_FILE]).toBe('/mnt/my disk\n');
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
