import { lab, mutations, output, shell, succeeding } from './lab';
import { basics, ownLogin } from './machines';

jest.setTimeout(300_000);

interface Change {
  readonly target: string;
  readonly what: string;
  readonly to: string | null;
}

test('a dry run changes nothing anywhere, and plans what the real run then does', async () => {
  await lab('reset');
  const inputs = {
    ...(await basics()),
    ...(await ownLogin()),
    'source-ranges': 'runner, 192.0.2.0/24',
    'restore-runner': 'false',
  };
  await output('runner', 'docker pull -q hello-world');
  const machine = () =>
    output(
      'registry-1',
      "find /etc /usr /opt -xdev -newer /root/deployer -type f ! -path '/etc/shadow*' ! -path '/etc/.pwd*' | sort",
    );
  const before = await machine();

  const dry = await succeeding({ ...inputs, 'dry-run': 'true' });
  expect(dry.outputs).toMatchObject({ changed: 'false', images: '[]' });
  expect(mutations(dry)).toEqual([]);
  expect(dry.ssh).toEqual({ connections: 1, commands: 1 });
  expect(await machine()).toBe(before);
  expect((await shell('runner', 'test -e /etc/docker/daemon.json')).status).not.toBe(0);
  expect(dry.state).toEqual({ isPost: 'true' });

  const real = await succeeding(inputs);
  expect(JSON.parse(String(dry.outputs.changes)).length).toBeGreaterThan(5);
  expect(targetsAndWhats(dry.outputs.changes)).toEqual(targetsAndWhats(real.outputs.changes));
});

test('without a key of the user’s it says that the instance is not read, and makes none', async () => {
  const dry = await succeeding({ ...(await basics()), 'dry-run': 'true' });
  expect(mutations(dry)).toEqual([]);
  expect(dry.ssh.connections).toBe(0);
  expect(dry.annotations.map(({ message }) => message).join()).toContain('ssh-private-key');
});

function targetsAndWhats(changes: string | undefined): Change[] {
  return (JSON.parse(changes ?? '[]') as Change[]).map(({ target, what, to }) => ({ target, what, to }));
}
