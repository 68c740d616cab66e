import { type Docker, dockerCli } from '../../../src/docker/docker';
import type { ExecResult } from '../../../src/job/exec';

/** The command of a runner that answers everything so. */
const docker = (answer: Partial<ExecResult>): Docker =>
  dockerCli(async () => ({ status: 0, signal: null, stdout: '', stderr: '', ...answer }));
const inspected = (answer: Partial<ExecResult>) => docker(answer).inspect('app');

test('an image, and none', async () => {
  expect(await inspected({ stdout: '[{"Id":"sha256:1"}]' })).toEqual({ id: 'sha256:1' });
  expect(await inspected({ status: 1, stderr: 'Error: No such image: app' })).toBeNull();
  await docker({ status: 1, stderr: 'Error: No such image: app' }).untag('app');
});

test.each<[string, (answer: Partial<ExecResult>) => Promise<unknown>, Partial<ExecResult>, RegExp]>([
  [
    'no command',
    inspected,
    { status: null, signal: 'ENOENT' },
    /^Docker not found: looking for the image app: /,
  ],
  [
    'a command that hangs',
    (answer) => docker(answer).push('app', () => undefined),
    { status: null, signal: 'SIGKILL' },
    /^Docker command failed: pushing app: the command was ended \(SIGKILL\)/,
  ],
  [
    'no daemon',
    (answer) => docker(answer).tag('a', 'b'),
    { status: 1, stderr: 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock.' },
    /^Docker daemon not reachable: tagging a as b: Cannot connect/,
  ],
  [
    'another failure',
    (answer) => docker(answer).untag('b'),
    { status: 3, stderr: 'x\nin use' },
    /^Docker command failed: removing the tag b: in use/,
  ],
  ['nothing that can be read', inspected, { stdout: 'x' }, /^Docker command failed: .*describes no image/],
  ['no image in it', inspected, { stdout: '[{"Id":1}]' }, /^Docker command failed: .*describes no image/],
])('%s', async (_, call, answer, says) => {
  await expect(call(answer)).rejects.toThrow(says);
});

test('proxies, as far as it says something of them', async () => {
  const info = JSON.stringify({ HttpProxy: 'http://p:1', HttpsProxy: 1, NoProxy: 'localhost' });
  expect(await docker({ stdout: info }).proxies()).toEqual({
    http: 'http://p:1',
    https: '',
    no: 'localhost',
  });
  for (const stdout of ['', 'x', 'null'])
    expect(await docker({ stdout }).proxies()).toEqual({ http: '', https: '', no: '' });
});
