import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { outputsOf } from '../../src/report/outputs';
import { readSettings } from '../../src/settings/read';

interface Action {
  readonly description: string;
  readonly inputs: Record<string, { description?: string; default?: unknown; required?: boolean }>;
  readonly outputs: Record<string, { description?: string }>;
  readonly runs: Record<string, string>;
  readonly branding: { icon: string; color: string };
}

const action = parse(readFileSync('action.yml', 'utf8')) as Action;
const names = Object.keys(action.inputs);

/** The names of all inputs that a run with these values reads. */
function namesRead(values: Record<string, string>): Set<string> {
  const read = new Set<string>();
  readSettings((name) => {
    read.add(name);
    return values[name] ?? '';
  }, undefined);
  return read;
}

const required = { zone: 'europe-west1-b', instance: 'registry-1', image: 'app' };

test('every input of action.yml is read, and no other', () => {
  expect([...namesRead(required)].sort()).toEqual([...names].sort());
});

test.each(['deploy', 'bootstrap', 'push', 'health-check'])(
  'mode %s reads only inputs of action.yml',
  (mode) => {
    const unknown = [...namesRead({ ...required, mode })].filter((name) => !names.includes(name));
    expect(unknown).toEqual([]);
  },
);

test('every output of action.yml is set, and no other', () => {
  const outputs = outputsOf({
    mode: 'deploy',
    instance: 'registry-1',
    zone: 'europe-west1-b',
    uiPort: 18080,
    openTo: [],
    instanceIp: null,
    registry: '',
    loopback: false,
    scheme: 'http',
    caCertificate: null,
    job: null,
    uiUrl: null,
    firewallRule: '',
    onlyPlanned: false,
    addressMayChange: false,
    changes: [],
    notes: [],
    images: [],
    health: null,
    pruned: null,
    layout: null,
    snapshot: null,
    movement: null,
  });
  expect(Object.keys(outputs)).toEqual(Object.keys(action.outputs));
});

test('inputs are kebab-case, described, and GitHub fills in none of them', () => {
  for (const [name, { description, default: value, required }] of Object.entries(action.inputs)) {
    expect(name).toMatch(/^[a-z]+(-[a-z0-9]+)*$/);
    expect(description).toMatch(/\.$/);
    expect([value, required]).toEqual([undefined, undefined]);
  }
});

// https://docs.github.com/actions/how-tos/create-and-publish-actions/publish-in-github-marketplace
test('the description is short enough for the Marketplace', () => {
  expect(action.description.length).toBeLessThan(125);
});

test('what is pushed stands beside where, and the config file is among the first', () => {
  expect(names.slice(0, 6)).toEqual(['config', 'mode', 'zone', 'instance', 'image', 'tags']);
});

test('main and post are the one bundle, on the Node that GitHub runs', () => {
  expect(action.runs).toEqual({ using: 'node24', main: 'dist/index.js', post: 'dist/index.js' });
});

describe('files that use the action', () => {
  const examples = readdirSync('examples')
    .filter((name) => name.endsWith('.yml') && name !== 'registry.yml')
    .map((name): [string, unknown] => [name, parse(readFileSync(`examples/${name}`, 'utf8'))]);
  const snippets = ['README.md', 'docs/security.md', 'docs/troubleshooting.md'].flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(
      ([, text], index): [string, unknown] => [`${file}, block ${index + 1}`, parse(text ?? '')],
    ),
  );

  test.each([...examples, ...snippets])('%s names inputs and outputs that exist', (_, content) => {
    for (const inputs of usesOf(content)) expect(names).toEqual(expect.arrayContaining(Object.keys(inputs)));
    const outputs = [...JSON.stringify(content).matchAll(/steps\.registry\.outputs\.([\w-]+)/g)];
    for (const [, output] of outputs) expect(Object.keys(action.outputs)).toContain(output);
  });

  test.each(examples)('%s uses the action', (_, content) => {
    expect(usesOf(content)).toHaveLength(1);
  });
});

/** The `with` of every step that uses this action, wherever it stands. */
function usesOf(node: unknown): Record<string, unknown>[] {
  if (typeof node !== 'object' || node === null) return [];
  const step = node as { uses?: unknown; with?: Record<string, unknown> };
  const own = typeof step.uses === 'string' && step.uses.startsWith('org/gce-registry-action@');
  return [...(own ? [step.with ?? {}] : []), ...Object.values(node).flatMap(usesOf)];
}
