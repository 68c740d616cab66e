import { lab, output, succeeding } from './lab';
import { basics, fingerprint, served } from './machines';

// Debian 12 has no Compose v2 of its own: with its own packages the plugin comes from the runner, over SSH.

jest.setTimeout(300_000);

describe.each([
  { source: 'docker', package: 'docker-ce', plugin: '/usr/libexec/docker/cli-plugins/docker-compose' },
  { source: 'distro', package: 'docker.io', plugin: '/usr/local/lib/docker/cli-plugins/docker-compose' },
])('a bare Debian 12 with docker-source $source', ({ source, package: engine, plugin }) => {
  test('becomes a registry that serves the image, and a second run changes nothing', async () => {
    await Promise.all([lab('reset', 'registry-1', '--kind', 'debian-12'), lab('reset', 'runner')]);
    const inputs = { ...(await basics()), 'docker-source': source };

    const first = await succeeding(inputs);
    expect(await output('registry-1', '. /etc/os-release; echo $VERSION_ID')).toBe('12');
    expect(await served('registry-1', ['test:latest'])).toEqual({ 'test:latest': first.outputs.digest });
    expect(await output('registry-1', `dpkg -s ${engine}`)).toContain('Status: install ok installed');
    expect(await output('registry-1', `docker compose version --short && ls ${plugin}`)).toContain(plugin);
    expect(first.ssh).toEqual({ connections: 1, commands: 2 });

    const before = await fingerprint();
    const second = await succeeding(inputs);
    expect(second.outputs).toMatchObject({ changed: 'false', digest: first.outputs.digest });
    expect(await fingerprint()).toBe(before);
  });
});

afterAll(() => lab('reset', 'registry-1', '--kind', 'debian-13'), 60_000);
