import { WRITER } from './clients';
import { action, lab, output, succeeding, waitFor } from './lab';
import { basics } from './machines';
import { IMAGE, INDEX, type Stored, StoredImages } from './stored-images';
import { struck, uploadBegun } from './wire';

// A registry as an OCI image layout, and back: over TLS, with a login. Judged by sums of this story's own, by Skopeo and
// crane, and by what the registry serves.

jest.setTimeout(300_000);

const DOCKER_IMAGE = 'application/vnd.docker.distribution.manifest.v2+json';
const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
const FOREIGN = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip';
/** On the runner. */
const BACKUPS = '/home/runner/backups';

interface Expected {
  readonly repository: string;
  /** Tag or digest. */
  readonly reference: string;
  readonly stored: Stored;
}

let inputs: Record<string, string>;
/** All but what is a story of its own. */
const expected: Expected[] = [];
let large: string;

beforeAll(async () => {
  await lab('fault', 'clear');
  await Promise.all([lab('reset', 'registry-1'), lab('reset', 'runner')]);
  await lab('situation', 'clients');
  inputs = { ...(await basics()), image: '', tags: '', tls: 'private-ca', ...WRITER };
  await succeeding({ ...inputs, mode: 'bootstrap' });
  await output('runner', `install -d -o runner -g runner ${BACKUPS}`);
  await putImages();
});
afterAll(async () => {
  await lab('fault', 'clear');
  await output('runner', `rm -rf ${BACKUPS}`);
});

async function putImages(): Promise<void> {
  const store = new StoredImages();
  const base = store.layer(300_000);
  const put = (repository: string, tag: string | null, stored: Stored) => {
    if (tag !== null) store.tag(repository, tag, stored, 1);
    expected.push({ repository, reference: tag ?? stored.digest, stored });
    return stored;
  };
  const image = (repository: string, more: object = {}) =>
    store.image(repository, [base, store.layer(2000)], 1, more);
  const app = put('app', '1', image('app'));
  put('app', 'latest', app);
  put('app', '2', image('app'));
  // Pinned by its digest somewhere, and an SBOM that nothing but its subject leads to.
  put('app', null, image('app'));
  put('app', null, image('app', { subject: store.descriptor(app.digest, IMAGE) }));
  const inner = store.index('team/multi', [image('team/multi'), image('team/multi')], 1);
  const outer = store.manifest(
    'team/multi',
    {
      schemaVersion: 2,
      mediaType: INDEX,
      manifests: [store.descriptor(inner.digest, INDEX)],
    },
    1,
  );
  put('team/multi', 'v1', { digest: outer, blobs: [inner.digest, ...inner.blobs] });
  // One level of an index is what Skopeo copies.
  put('team/multi', 'flat', inner);
  put('team/multi', `sha256-${outer.slice(7)}.sig`, image('team/multi'));
  const docker = image('dock/er', { mediaType: DOCKER_IMAGE });
  const list = store.manifest(
    'dock/er',
    {
      schemaVersion: 2,
      mediaType: DOCKER_LIST,
      manifests: [
        {
          ...store.descriptor(docker.digest, DOCKER_IMAGE),
          platform: { os: 'linux', architecture: 'amd64' },
        },
      ],
    },
    1,
  );
  put('dock/er', '1', { digest: list, blobs: [docker.digest, ...docker.blobs] });
  // A name that is none in the grammar of layouts, in a repository that looks like a host.
  put('a.b/c', '1__2', image('a.b/c'));
  const foreign = image('win/dows', {
    layers: [
      { mediaType: FOREIGN, digest: `sha256:${'f'.repeat(64)}`, size: 5, urls: ['https://example.com/l'] },
    ],
  });
  put('win/dows', '1', { digest: foreign.digest, blobs: foreign.blobs.slice(0, 1) });
  const old = store.manifest('old/schema', { schemaVersion: 1, fsLayers: [{ blobSum: base }] }, 3000);
  store.tag('old/schema', '1', { digest: old }, 3000);
  large = store.layer(30_000_000);
  put('large/one', '1', store.image('large/one', [large], 1));
  await store.put();
}

const backup = (name: string, more: Record<string, string> = {}) =>
  action({
    ...inputs,
    mode: 'backup',
    'backup-to': 'oci-layout',
    'backup-path': `${BACKUPS}/${name}`,
    ...more,
  });

const nameOf = ({ repository, reference }: Expected) =>
  `${repository}${reference.startsWith('sha256:') ? '@' : ':'}${reference}`;

/** All content that these images need. */
const contentOf = (images: readonly Expected[]) =>
  new Set(images.flatMap(({ stored }) => [stored.digest, ...stored.blobs]));

/** The images of a layout's index.json. */
async function indexOf(name: string): Promise<{ digest: string; annotations: Record<string, string> }[]> {
  return JSON.parse(await output('runner', `cat ${BACKUPS}/${name}/index.json`)).manifests;
}

/** That the layout has these images, and not a byte more. */
async function expectLayout(name: string, images: readonly Expected[]): Promise<void> {
  const sums = await output('runner', `cd ${BACKUPS}/${name}/blobs/sha256 && sha256sum *`);
  const files = sums.split('\n').map((line) => line.split(/\s+/));
  expect(files.filter(([sum, file]) => sum !== file)).toEqual([]);
  expect(new Set(files.map(([sum]) => `sha256:${sum}`))).toEqual(contentOf(images));
  expect((await output('runner', `ls -A ${BACKUPS}/${name}`)).split('\n').sort()).toEqual([
    'blobs',
    'index.json',
    'oci-layout',
  ]);
  const names = (await indexOf(name)).map(({ digest, annotations }) => [
    annotations['org.opencontainers.image.ref.name'],
    digest,
  ]);
  expect(new Map(names as [string, string][])).toEqual(
    new Map(images.map((image) => [nameOf(image), image.stored.digest])),
  );
}

/** That the registry serves each of these images, in full: by the sums of what comes. */
async function expectServed(images: readonly Expected[]): Promise<void> {
  const asked = images.flatMap(({ repository, reference, stored }) => [
    `${repository} ${reference} ${stored.digest}`,
    ...stored.blobs.map((blob) => `${repository} ${blob} ${blob}`),
  ]);
  const accept = [IMAGE, INDEX, DOCKER_IMAGE, DOCKER_LIST].join(', ');
  const wrong = await output(
    'registry-1',
    `get() { curl -fksS -u '${WRITER.username}:${WRITER.password}' -H 'Accept: ${accept}' "https://127.0.0.1:5000/v2/$1"; }
     printf '%s\\n' ${asked.map((line) => `'${line}'`).join(' ')} | while read -r repository what digest; do
       if [ "$what" = "$digest" ] && get "$repository/blobs/$what" 2>/dev/null >/tmp/served; then :
       else get "$repository/manifests/$what" 2>/dev/null >/tmp/served || true; fi
       [ "sha256:$(sha256sum </tmp/served | cut -d ' ' -f 1)" = "$digest" ] || echo "$repository $what"
     done`,
  );
  expect(wrong).toBe('');
}

test('all that the registry serves is in the layout, once', async () => {
  const seen = await backup('full');
  expect([seen.exitCode, seen.annotations.filter(({ level }) => level === 'error')]).toEqual([0, []]);
  await expectLayout('full', expected);
  const bytes = await output('runner', `cat ${BACKUPS}/full/blobs/sha256/* | wc -c`);
  expect(seen.outputs).toMatchObject({
    'backup-path': `${BACKUPS}/full`,
    'backup-bytes': bytes,
    changed: 'false',
  });
  const warnings = seen.annotations.map(({ message }) => message).join('\n');
  expect(warnings).toContain('old/schema:1 is of schema 1, which is no OCI image, and is left out');
  expect(seen.maskedLog).toContain(
    'Skopeo does not find a.b/c:1__2 by name, since it is none in the grammar',
  );
  expect(seen.maskedLog).toContain('Skopeo does not find dock/er:1 by name, since the type of the manifest');
  expect(seen.memoryMiB).toBeLessThan(143);
});

test('Skopeo reads each image by its name, and copies all of an index', async () => {
  const images = expected.filter(({ repository }) => !['a.b/c', 'dock/er'].includes(repository));
  const docker = expected.find(({ repository }) => repository === 'dock/er') as Expected;
  const names = images.map(nameOf);
  const sums = await output(
    'runner',
    `for name in ${names.join(' ')}; do skopeo inspect --raw "oci:${BACKUPS}/full:$name" | sha256sum | cut -d ' ' -f 1; done`,
  );
  expect(sums.split('\n').map((sum) => `sha256:${sum}`)).toEqual(images.map(({ stored }) => stored.digest));
  // Where the name does not help, the place in index.json does.
  const at = (await indexOf('full')).findIndex(({ digest }) => digest === docker.stored.digest);
  const raw = `skopeo inspect --raw "oci:${BACKUPS}/full:@${at}" | sha256sum`;
  expect(`sha256:${(await output('runner', raw)).split(' ')[0]}`).toBe(docker.stored.digest);
  // It compares the digest of each layer on its way.
  await output(
    'runner',
    `for name in app:1 team/multi:flat; do
       skopeo copy -q --all --preserve-digests "oci:${BACKUPS}/full:$name" "dir:$(mktemp -d)"
     done`,
  );
});

test('crane reads a layout whole, and one image of it', async () => {
  const some = expected.filter(({ repository }) => /^(app|team\/.*)$/.test(repository));
  expect((await backup('some', { 'backup-repositories': 'app, team/**' })).exitCode).toBe(0);
  const slip = await backup('some', { 'backup-repositories': 'ap, tea/**' });
  expect(slip.annotations.at(-1)?.message).toMatch(/^Nothing to back up: /);
  await expectLayout('some', some);
  const one = expected.filter(({ repository }) => repository === 'dock/er');
  expect((await backup('one', { 'backup-repositories': 'dock/*' })).exitCode).toBe(0);
  const seen = await succeeding({ ...inputs, mode: 'connect' }, [
    '--later',
    `set -e; export SSL_CERT_FILE=$(mktemp); printf '%s\\n' "$OUTPUT_ca_certificate" >$SSL_CERT_FILE
     crane push --index ${BACKUPS}/some $OUTPUT_registry/crane/all
     crane push --index ${BACKUPS}/one $OUTPUT_registry/crane/one:1`,
  ]);
  expect(seen.later).toMatchObject({ exitCode: 0 });
  await expectServed(
    [...some, ...one].map(({ repository, stored }) => ({
      repository: repository === 'dock/er' ? 'crane/one' : 'crane/all',
      reference: stored.digest,
      stored,
    })),
  );
});

test('cut off again and again, and killed: what is there is not fetched again', async () => {
  const fetched = () =>
    output(
      'registry-1',
      `docker logs gce-registry-registry-1 2>&1 | grep -F '${large} HTTP/1.1" 206 ' | wc -l`,
    ).then(Number);
  await lab('fault', 'registry-reset', '12000000');
  const killed = backup('cut', { 'backup-repositories': 'large/*' });
  await waitFor('runner', `[ "$(stat -c %s ${BACKUPS}/cut/incomplete/${large.slice(7)})" -gt 5000000 ]`);
  await output('runner', "pkill -KILL -f 'node .*/dist/index.js'");
  expect((await killed).exitCode).not.toBe(0);
  const before = Number(
    await output(
      'runner',
      `stat -c %s ${BACKUPS}/cut/incomplete/${large.slice(7)}; ! ls ${BACKUPS}/cut/index.json`,
    ),
  );
  expect(before).toBeGreaterThan(5_000_000);
  const resets = (await struck()).registryResets;
  const seen = await backup('cut', { 'backup-repositories': 'large/*' });
  expect(seen.exitCode).toBe(0);
  expect((await struck()).registryResets).toBeGreaterThan(resets);
  expect(await fetched()).toBeGreaterThanOrEqual(2);
  await expectLayout(
    'cut',
    expected.filter(({ repository }) => repository === 'large/one'),
  );
  await lab('fault', 'clear');
});

describe('on a new instance', () => {
  test('one run sets it up and restores all, but for what no registry takes; digests are the same', async () => {
    await lab('reset', 'registry-1');
    const seen = await action({ ...inputs, mode: 'deploy', 'restore-from': `${BACKUPS}/full` });
    expect(seen.exitCode).toBe(1);
    const [error] = seen.annotations.filter(({ level }) => level === 'error');
    // https://github.com/distribution/distribution/issues/2795
    expect(error?.message).toMatch(/^Not all images were restored: .*: 1 could not be: win\/dows:1 \(/);
    await expectServed(expected.filter(({ repository }) => repository !== 'win/dows'));
    expect(
      await output(
        'registry-1',
        `find /var/lib/docker/volumes -path '*win/dows/_manifests*' -name link | wc -l`,
      ),
    ).toBe('0');
  });

  test('a second run sends nothing; a tag that stands for another image stays, unless it is said', async () => {
    const restore = { ...inputs, mode: 'push', 'restore-from': `${BACKUPS}/some` };
    const again = await succeeding(restore);
    expect(again.maskedLog).toMatch(/ restored from .*; 0 B sent\./);
    const moved = { ...inputs, image: 'hello-world', mode: 'push', tags: 'app:1' };
    const { outputs } = await succeeding(moved);
    const kept = await succeeding(restore);
    expect(kept.annotations.map(({ message }) => message)).toEqual([
      'app:1 stands for another image now, and stays; `restore-overwrite: true` moves it',
    ]);
    expect(await digestOf('app', '1')).toBe(outputs.digest);
    await succeeding({ ...restore, 'restore-overwrite': 'true' });
    await expectServed(expected.filter(({ repository }) => repository === 'app'));
  });

  test('a layout of Skopeo’s; a damaged layer is named, and its image gets no tag', async () => {
    const [app] = expected;
    const layout = `${BACKUPS}/skopeo`;
    const layer = String(app?.stored.blobs.at(-1)).slice(7);
    await output(
      'runner',
      `skopeo copy -q --preserve-digests oci:${BACKUPS}/some:app:1 oci:${layout}:1.0
       skopeo copy -q --preserve-digests oci:${BACKUPS}/some:app:2 oci:${layout}:2.0
       cp ${layout}/blobs/sha256/${layer} /tmp/good
       printf x | dd of=${layout}/blobs/sha256/${layer} bs=1 seek=700 conv=notrunc status=none`,
    );
    const restore = { ...inputs, mode: 'push', 'restore-from': layout };
    const nowhere = await action(restore);
    expect(nowhere.annotations[0]?.message).toMatch(/^Layout does not say where to: /);
    const damaged = await action({ ...restore, 'restore-repository': 'fresh/app' });
    expect(damaged.exitCode).toBe(1);
    expect(damaged.annotations[0]?.message).toContain(`fresh/app:1.0 (reading sha256:${layer} of the layout`);
    expect([await digestOf('fresh/app', '1.0'), await digestOf('fresh/app', '2.0')]).toEqual([
      null,
      expected[2]?.stored.digest,
    ]);
    await output('runner', `cp /tmp/good ${layout}/blobs/sha256/${layer}`);
    await succeeding({ ...restore, 'restore-repository': 'fresh/app' });
    expect(await digestOf('fresh/app', '1.0')).toBe(app?.stored.digest);
  });

  test('a restore that is killed leaves no tag; the next one goes on', async () => {
    const one = expected.find(({ repository }) => repository === 'large/one') as Expected;
    await output(
      'runner',
      `skopeo copy -q --preserve-digests oci:${BACKUPS}/cut:large/one:1 oci:${BACKUPS}/killed:1`,
    );
    const restore = {
      ...inputs,
      mode: 'push',
      'restore-from': `${BACKUPS}/killed`,
      'restore-repository': 'killed/one',
    };
    await lab('fault', 'slow-network', '200');
    const killed = action(restore);
    await uploadBegun('killed/one');
    await output('runner', "pkill -KILL -f 'node .*/dist/index.js'");
    expect((await killed).exitCode).not.toBe(0);
    await lab('fault', 'clear');
    expect(await digestOf('killed/one', '1')).toBeNull();
    await succeeding(restore);
    await expectServed([{ ...one, repository: 'killed/one' }]);
  });

  test('an image that the registry lost a layer of: all others are copied, and the run fails', async () => {
    const team = expected.filter(({ repository }) => repository === 'team/multi');
    const lost = team.find(({ reference }) => reference.endsWith('.sig')) as Expected;
    const layer = String(lost.stored.blobs.at(-1)).slice(7);
    await output('registry-1', `rm $(find /var/lib/docker/volumes -path '*/${layer}/data')`);
    const seen = await backup('lost', { 'backup-repositories': 'team/**' });
    expect(seen.exitCode).toBe(1);
    expect(seen.annotations.at(-1)?.message).toContain(
      `the registry cannot serve 1 of them: ${nameOf(lost)} (`,
    );
    await expectLayout(
      'lost',
      team.filter((image) => image !== lost),
    );
  });
});

/** What the registry serves under a tag; null: nothing. */
async function digestOf(repository: string, tag: string): Promise<string | null> {
  const printed = await output(
    'registry-1',
    `curl -ksS -u '${WRITER.username}:${WRITER.password}' -H 'Accept: ${IMAGE}, ${DOCKER_IMAGE}, ${INDEX}' -o /tmp/served -w '%{http_code}' \\
       https://127.0.0.1:5000/v2/${repository}/manifests/${tag}; echo " sha256:$(sha256sum </tmp/served | cut -d ' ' -f 1)"`,
  );
  const [status, digest = ''] = printed.split(' ');
  return status === '404' ? null : digest;
}
