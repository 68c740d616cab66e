import { atWork, DOCKER, expectWork, WRITER, workOf } from './clients';
import { lab, output, succeeding } from './lab';
import { expectNothingLeft, snapshotRunner } from './left-over';
import { basics, restartDocker } from './machines';

// Docker of several versions on the runner, each with the images in a store of its own and in containerd's, over TLS by the
// instance's own authority, with a login.

jest.setTimeout(300_000);

let inputs: Record<string, string>;

beforeAll(async () => {
  await Promise.all([lab('reset', 'registry-1'), lab('reset', 'runner')]);
  inputs = { ...(await basics()), tls: 'private-ca', ...WRITER };
  await succeeding({ ...inputs, mode: 'bootstrap', image: '', tags: '' });
});

describe.each(['29', '28', '26'])('Docker %s', (version) => {
  beforeAll(() => lab('reset', 'runner', '--kind', `docker-${version}`));

  test.each([false, true])('with containerd’s store: %s', async (isContainerds) => {
    await output(
      'runner',
      `echo '{"features": {"containerd-snapshotter": ${isContainerds}}}' >/etc/docker/daemon.json`,
    );
    await restartDocker('runner');
    const before = await snapshotRunner();
    const by = `docker-${version}-${isContainerds}`;
    const seen = await succeeding({ ...inputs, tags: `test,${by}/pushed` }, [
      '--later',
      `docker info -f '{{.ServerVersion}} {{json .DriverStatus}}'; ${atWork([DOCKER], by)}`,
    ]);
    const said = String(seen.later?.output);
    expect(said).toMatch(new RegExp(`^${version}\\.`));
    expect(said.includes('io.containerd.snapshotter')).toBe(isContainerds);
    await expectWork(workOf(said), 'docker', by);
    await expectNothingLeft(before);
  });
});

afterAll(() => lab('reset', 'runner'));
