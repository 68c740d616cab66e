import { randomImage, removeImages } from './images';
import { lab, output, shell, succeeding } from './lab';
import { expectNothingLeft, type RunnerSnapshot, snapshotRunner } from './left-over';
import { basics, ownLogin, served } from './machines';

/** What is said of a push is true: whose digest it is, and that all of it is there. */
jest.setTimeout(300_000);

const IMAGE = 'truth/image:1';
const OTHER = 'truth/other:1';
const ACCEPT = [
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
].join();
let inputs: Record<string, string>;
let runner: RunnerSnapshot;

beforeAll(async () => {
  await lab('reset');
  await lab('fault', 'clear');
  inputs = { ...(await basics()), ...(await ownLogin()), image: IMAGE };
  await succeeding({ ...inputs, mode: 'bootstrap' });
  await randomImage(IMAGE, 2, 1);
  // The same layers, another entry point.
  await output(
    'runner',
    `printf 'FROM ${IMAGE}\nENTRYPOINT ["/other"]\n' | docker build -q -t ${OTHER} - >/dev/null`,
  );
  runner = await snapshotRunner();
});
afterEach(async () => {
  await output('runner', 'rm -f /usr/local/bin/docker');
  await expectNothingLeft(runner);
});
afterAll(() => removeImages(IMAGE, OTHER));

/**
 * From now on another job pushes OTHER under the same tag at the moment that a push of this one has ended: in place of
 * `docker` stands a script, as on runners with a wrapper of their own.
 */
async function overtake(): Promise<void> {
  const script = `#!/bin/sh
    /usr/bin/docker "$@" || exit
    if [ "$1" = push ]; then
      for reference; do :; done
      /usr/bin/docker tag ${OTHER} "$reference" && /usr/bin/docker push -q "$reference" >/dev/null
      /usr/bin/docker tag ${IMAGE} "$reference"
    fi`;
  await output(
    'runner',
    `cat >/usr/local/bin/docker <<'SCRIPT'\n${script}\nSCRIPT\nchmod 755 /usr/local/bin/docker`,
  );
}

const get = (path: string) =>
  output('registry-1', `curl -fsS -H 'Accept: ${ACCEPT}' http://127.0.0.1:5000/v2/${path}`);

/** What the registry has as configuration of the image of this digest, be it behind an index or not. */
async function configOf(repository: string, digest: string): Promise<string> {
  const manifest = JSON.parse(await get(`${repository}/manifests/${digest}`)) as {
    config?: { digest: string };
    manifests?: { digest: string; platform?: { os: string } }[];
  };
  const image = manifest.manifests?.find(({ platform }) => platform?.os === 'linux');
  if (image !== undefined) return configOf(repository, image.digest);
  return get(`${repository}/blobs/${manifest.config?.digest}`);
}

test.each(['true', 'false'])(
  'with verify: %s the digest is that of this run, also where another job was there just after it',
  async (verify) => {
    const tag = `truth/race-${verify}:1`;
    await overtake();
    const seen = await succeeding({ ...inputs, tags: tag, verify });
    const { [tag]: now } = await served('registry-1', [tag]);
    const { [tag.replace(':1', '')]: theirs } = await served('registry-1', [tag]);
    expect(theirs).toBeUndefined();
    expect(now).not.toBe(seen.outputs.digest);
    const warnings = seen.annotations.filter(({ level }) => level === 'warning');
    expect(warnings.map(({ message }) => message).join()).toContain(
      'somebody else changed the tag after this run',
    );
    // What the registry has under the digest that was output is the local image: its configuration, entry point and all.
    await output('runner', 'rm -f /usr/local/bin/docker');
    const layers = (name: string) =>
      output('runner', `docker image inspect --format '{{.RootFS.Layers}} {{.Config.Entrypoint}}' ${name}`);
    const [mine, others] = [await layers(IMAGE), await layers(OTHER)];
    expect(mine).not.toBe(others);
    const config = await configOf(`truth/race-${verify}`, String(seen.outputs.digest));
    expect(config).toContain('/x');
    expect(config).not.toContain('/other');
  },
);

describe.each(['true', 'false'])('with verify: %s', (verify) => {
  const tag = `truth/lost-${verify}:1`;
  const data = '/var/lib/docker/volumes/gce-registry_registry-data/_data/docker/registry/v2';

  test('an image of which a collection took a layer is pushed again, and clients can pull it', async () => {
    const { outputs } = await succeeding({ ...inputs, tags: tag, verify });
    // As a garbage collection with another idea of what is in use leaves it: the tag stays, the content is gone.
    await output(
      'registry-1',
      `layer=$(curl -fsS -H 'Accept: application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json' http://127.0.0.1:5000/v2/${tag.replace(':1', '')}/manifests/1 | grep -o 'sha256:[0-9a-f]*' | tail -n 1)
       hex=\${layer#sha256:}
       rm -rf ${data}/blobs/sha256/\${hex:0:2}/$hex ${data}/repositories/*/*/_layers/sha256/$hex
       docker restart gce-registry-registry-1 >/dev/null`,
    );
    const seen = await succeeding({ ...inputs, tags: tag, verify });
    expect(seen.outputs.digest).toBe(outputs.digest);
    expect(seen.annotations.map(({ message }) => message).join()).toContain('so it is pushed again');
    // A client that has nothing of it yet.
    const pulled = await shell(
      'registry-1',
      `docker pull -q 127.0.0.1:5000/${tag} && docker image rm 127.0.0.1:5000/${tag}`,
    );
    expect(pulled.status).toBe(0);
  });
});
