import { control, lab, output, type Result, run } from './lab';
import { served } from './machines';

// The examples, as a user copies them, run by act on the runner machine, with the one config file that they share.

jest.setTimeout(400_000);

let secret: string;

beforeAll(async () => {
  await lab('reset');
  const { json } = await control<{ json: unknown }>('POST', '/credentials', { kind: 'service-account' });
  secret = JSON.stringify(json);
});

async function workflow(file: string, ...args: string[]): Promise<Result> {
  const result = await run('bin/lab', ['workflow', file, '--secret', `GCP_CREDENTIALS=${secret}`, ...args]);
  if (result.status !== 0)
    throw new Error(`${file} ended with ${result.status}:\n${result.stdout}${result.stderr}`);
  return result;
}

/** Neither the key nor what is made from it is ever shown. */
function expectMasked({ stdout, stderr }: Result): void {
  const { private_key: key } = JSON.parse(secret) as { private_key: string };
  const line = key.split('\n')[3] ?? '';
  expect(line.length).toBeGreaterThan(40);
  expect(stdout + stderr).not.toContain(line);
}

test('bootstrap, with its inputs', async () => {
  const result = await workflow(
    'examples/bootstrap.yml',
    ...['--event', 'workflow_dispatch', '--input', 'dry-run=false'],
  );
  expectMasked(result);
  expect(await output('registry-1', "docker ps --format '{{.Image}}' | sort")).toContain('registry:3');
});

test('build and push: the image is in the registry, its outputs reach the next step, the post step cleans up', async () => {
  const result = await workflow('examples/build-and-push.yml', '--event', 'push');
  expectMasked(result);
  const repositories = await output('registry-1', 'curl -fsS http://127.0.0.1:5000/v2/_catalog');
  const [name] = (JSON.parse(repositories) as { repositories: string[] }).repositories;
  expect(name).toBeDefined();
  const { tags } = JSON.parse(
    await output('registry-1', `curl -fsS http://127.0.0.1:5000/v2/${name}/tags/list`),
  ) as { tags: string[] };
  const digests = await served('registry-1', [`${name}:${tags[0]}`]);
  expect(result.stdout).toContain(Object.values(digests)[0]);
  expect(await output('runner', 'test ! -e /etc/docker/daemon.json && echo gone')).toBe('gone');
});

test('health check', async () => {
  const result = await workflow('examples/health-check.yml', '--event', 'schedule');
  expectMasked(result);
  expect(result.stdout).toMatch(/Canary +healthy/);
});
