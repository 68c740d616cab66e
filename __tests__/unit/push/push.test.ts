import type { Docker, LocalImage, Transfer } from '../../../src/docker/docker';
import type { Log } from '../../../src/job/log';
import { findImage, pushImage } from '../../../src/push/push';
import { registryApi } from '../../../src/registry/api';
import { registryHttp } from '../../../src/registry/http';
import { ActionError } from '../../../src/values/errors';
import { parseReference } from '../../../src/values/reference';
import { digestOf, Liar } from '../registry/liar';

const OCI = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const diffId = `sha256:${'d'.repeat(64)}`;
const configText = JSON.stringify({ rootfs: { type: 'layers', diff_ids: [diffId] } });
const classicId = digestOf(Buffer.from(configText));

let liar: Liar;
let port: number;
let docker: FakeDocker;
let logged: string[];
const pauses: number[] = [];

beforeEach(async () => {
  liar = new Liar();
  port = (await liar.start()).port;
  docker = new FakeDocker();
  docker.images.set('app:1', { id: classicId });
  logged = [];
  pauses.length = 0;
});
afterEach(() => liar.stop());

/** A daemon that keeps references, and pushes into the liar. */
class FakeDocker implements Docker {
  readonly images = new Map<string, LocalImage>();
  readonly calls: string[] = [];
  /** What the next pushes and pulls end with; without any they succeed. */
  readonly failures: string[] = [];
  proxy = { http: '', https: '', no: '' };
  layer = Buffer.from('layer');
  /** What a push prints. */
  lines = ['abc: Pushed'];
  upload: (reference: string) => void = (reference) => uploadImage(reference, this.layer);
  /** What it says of the digest that it pushed; as Docker says it, unless a test wants otherwise. */
  says: (reference: string) => string = (reference) => {
    const [, path, tag] = /^[^/]+\/(.+):([^:]+)$/.exec(reference) ?? [];
    const pushed = liar.manifests.get(`${path} ${tag}`);
    return `${tag}: digest: ${digestOf(pushed?.bytes ?? Buffer.alloc(0))} size: 527\n`;
  };

  proxies = async () => this.proxy;
  inspect = async (reference: string) => this.images.get(reference) ?? null;
  tag = async (source: string, reference: string) => {
    this.calls.push(`tag ${reference}`);
    const found = [...this.images.values()].find(({ id }) => id === source);
    if (found === undefined) throw new Error(`no ${source}`);
    this.images.set(reference, found);
  };
  untag = async (reference: string) => {
    this.calls.push(`untag ${reference}`);
    // A daemon drops an image with its last reference; one that a container uses would stay.
    this.images.set(`kept ${reference}`, this.images.get(reference) as LocalImage);
    this.images.delete(reference);
  };
  pull = async (reference: string) => {
    this.calls.push(`pull ${reference}`);
    return this.#transfer(() => this.images.set(reference, { id: classicId }));
  };
  push = async (reference: string, onLine: (line: string) => void) => {
    this.calls.push(`push ${reference}`);
    this.lines.forEach(onLine);
    const result = this.#transfer(() => this.upload(reference));
    return result.ok ? { ok: true, output: this.says(reference) } : result;
  };
  #transfer(work: () => void): Transfer {
    const output = this.failures.shift();
    if (output !== undefined) return { ok: false, output };
    work();
    return { ok: true, output: '' };
  }
}

function uploadImage(reference: string, layer: Buffer): void {
  const [, path = '', tag = ''] = /^[^/]+\/(.+):([^:]+)$/.exec(reference) ?? [];
  const config = liar.blob(Buffer.from(configText));
  liar.put(path, tag, OCI, { mediaType: OCI, config, layers: [liar.blob(layer)] });
}

async function push(
  targets = [{ path: 'app', tag: '1' }],
  image = 'app:1',
  mend = async () => {},
  verify = true,
) {
  const endpoint = {
    scheme: 'http',
    host: '127.0.0.1',
    port,
    serverName: null,
    ca: null,
    login: null,
  } as const;
  const api = registryApi(registryHttp(endpoint), async () => {});
  const log = {
    info: (text) => void logged.push(text),
    warning: (text) => void logged.push(`warning: ${text}`),
    foreign() {},
    group: (_, work) => work(),
  } as Partial<Log> as Log;
  const sleep = async (ms: number) => void pauses.push(ms);
  const job = { image: parseReference(image), registry: `127.0.0.1:${port}`, targets, verify };
  const found = await findImage(job.image, docker);
  return pushImage(job, found, { docker, api, log, sleep, onTag: () => undefined, mend }).finally(() =>
    api.close(),
  );
}

const there = (tag: string) => `127.0.0.1:${port}/${tag}`;

test('pushes every target, takes the digest from the registry, and leaves no tag', async () => {
  const before = [...docker.images.keys()];
  const pushed = await push([
    { path: 'app', tag: '1' },
    { path: 'team/app', tag: 'x' },
  ]);
  const digest = digestOf(liar.manifests.get('app 1')?.bytes as Buffer);
  expect(pushed).toEqual([
    { reference: there('app:1'), digest, before: null },
    { reference: there('team/app:x'), digest, before: null },
  ]);
  expect([...docker.images.keys()].filter((name) => !name.startsWith('kept'))).toEqual(before);
  // The layer is downloaded once; for the second repository its end is read.
  expect(liar.seen.filter((line) => line.endsWith(digestOf(docker.layer)))).toHaveLength(2);
});

test('a tag that was there leads to where it led', async () => {
  const other = { id: `sha256:${'e'.repeat(64)}` };
  docker.images.set(there('app:1'), other);
  docker.images.set('other', other);
  await push();
  expect(docker.images.get(there('app:1'))).toBe(other);
});

test('a tag that leads to the image already is left alone', async () => {
  docker.images.set(there('app:1'), { id: classicId });
  await push();
  expect(docker.calls).toEqual([`push ${there('app:1')}`]);
});

test('a target that has the image already is verified and not pushed', async () => {
  await push();
  docker.calls.length = 0;
  const [again] = await push();
  expect(docker.calls).toEqual([]);
  expect(again).toMatchObject({ digest: digestOf(liar.manifests.get('app 1')?.bytes as Buffer) });
  expect(liar.seen.filter((line) => line.endsWith(digestOf(docker.layer)))).toHaveLength(2);
});

test('what the registry has of it is damaged: it is pushed again, with a warning', async () => {
  await push();
  docker.calls.length = 0;
  liar.blobs.set(digestOf(docker.layer), Buffer.from('LAYER'));
  await push();
  expect(docker.calls).toContain(`push ${there('app:1')}`);
  expect(logged.join('\n')).toMatch(
    /^warning: What the registry has of .* is damaged, so it is pushed again/m,
  );
});

test('an image that is not there is pulled', async () => {
  docker.failures.push('Get "https://x/v2/": net/http: TLS handshake timeout');
  await push(undefined, 'ghcr.io/me/app');
  expect(docker.calls.slice(0, 2)).toEqual(['pull ghcr.io/me/app:latest', 'pull ghcr.io/me/app:latest']);
  expect(pauses).toEqual([1000]);
});

test('the registry is looked after before each further try', async () => {
  docker.failures.push('unexpected EOF', 'connection refused');
  let mended = 0;
  await push(undefined, undefined, async () => {
    mended += 1;
    expect(docker.calls.filter((call) => call.startsWith('push'))).toHaveLength(mended);
  });
  expect(mended).toBe(2);
});

describe('when Docker begins to try again by itself', () => {
  beforeEach(() => {
    docker.lines = [5, 4, 3, 2, 1].map((left) => `abc: Retrying in ${left} second${left === 1 ? '' : 's'}`);
  });

  test('the registry is looked after beside it, once and after a second', async () => {
    let mended = 0;
    await push(undefined, undefined, async () => {
      mended += 1;
    });
    expect(mended).toBe(1);
    expect(pauses).toEqual([1000]);
    expect(docker.calls.filter((call) => call.startsWith('push'))).toHaveLength(1);
  });

  test('what the look finds is the error of a push that fails, and none of one that does not', async () => {
    const full = async () => {
      throw new ActionError('Registry disk is full', { doing: 'd', happened: 'h', next: 'n' });
    };
    await push(undefined, undefined, full);
    docker.failures.push('received unexpected HTTP status: 500 Internal Server Error');
    await expect(push([{ path: 'app', tag: '2' }], undefined, full)).rejects.toThrow('Registry disk is full');
    expect(docker.calls.filter((call) => call.startsWith('push'))).toHaveLength(2);
  });
});

test('what is transient is tried again, with growing pauses, and not for ever', async () => {
  docker.failures.push(...Array(2).fill('unexpected EOF'));
  await push();
  expect(pauses).toEqual([1000, 2000]);
  expect(logged.join('\n')).toContain('(unexpected EOF); again in 1 s');
  liar.manifests.clear();
  docker.failures.push(...Array(9).fill('connection refused'));
  await expect(push()).rejects.toMatchObject({ title: 'Push failed' });
  expect(pauses).toEqual([1000, 2000, 1000, 2000, 4000, 8000, 16000]);
});

test.each([
  ['denied: no', 'Push denied'],
  ['http: server gave HTTP response to HTTPS client', 'Runner does not accept the registry'],
  ['name invalid', 'Push failed'],
])('%s is not tried again, and the tag goes', async (output, title) => {
  docker.failures.push(output);
  await expect(push()).rejects.toMatchObject({ title });
  expect(pauses).toEqual([]);
  expect(docker.calls.at(-1)).toBe(`untag ${there('app:1')}`);
});

test('an image that nobody has is not found', async () => {
  docker.failures.push('pull access denied for nope, repository does not exist');
  await expect(push(undefined, 'nope')).rejects.toMatchObject({ title: 'Image not found' });
});

test('a push that left nothing is found out', async () => {
  docker.upload = () => {};
  await expect(push()).rejects.toMatchObject({ title: 'Pushed image not served' });
});

/** Another image with the same layers, under the tag that was just pushed. */
function overtake(): string {
  const config = liar.blob(Buffer.from(configText.replace('{', '{"config":{"Entrypoint":["/other"]},')));
  const layers = [liar.blob(docker.layer)];
  return liar.put('app', '1', OCI, { mediaType: OCI, config, layers }).digest;
}

describe.each([true, false])('the digest that is output, with verify: %s', (verify) => {
  const run = () => push(undefined, undefined, undefined, verify);

  test('is that of what this run pushed, although somebody pushed after it', async () => {
    let mine = '';
    docker.says = (reference) => {
      mine = digestOf(liar.manifests.get('app 1')?.bytes as Buffer);
      overtake();
      return `${reference.split(':').at(-1)}: digest: ${mine} size: 527\n`;
    };
    expect(await run()).toMatchObject([{ digest: mine }]);
    expect(logged.join('\n')).toMatch(/^warning: .*somebody else changed the tag after this run/m);
  });

  test('is nobody else’s where Docker names none: another image with the same layers differs', async () => {
    docker.says = () => {
      overtake();
      return 'Writing manifest to image destination\n';
    };
    await expect(run()).rejects.toMatchObject({ title: 'Pushed image differs' });
  });

  test('is that of the tag where Docker names none, and the tag leads to this image', async () => {
    docker.says = () => 'Writing manifest to image destination\n';
    expect(await run()).toMatchObject([{ digest: digestOf(liar.manifests.get('app 1')?.bytes as Buffer) }]);
  });

  test.each([
    ['a layer', () => liar.blobs.delete(digestOf(docker.layer))],
    ['the configuration', () => liar.blobs.delete(classicId)],
    ['the end of a layer', () => liar.blobs.set(digestOf(docker.layer), Buffer.from('lay'))],
  ])('an image of which the registry lost %s is pushed again', async (_case, lose) => {
    await run();
    docker.calls.length = 0;
    lose();
    await run();
    expect(docker.calls).toContain(`push ${there('app:1')}`);
    expect(logged.join('\n')).toMatch(/^warning: What the registry has of .* is damaged/m);
    expect(liar.blobs.get(digestOf(docker.layer))).toEqual(docker.layer);
    expect(liar.blobs.has(classicId)).toBe(true);
  });

  test('an image that is there in full is not pushed again', async () => {
    await run();
    docker.calls.length = 0;
    await run();
    expect(docker.calls).toEqual([]);
  });
});

describe('verify', () => {
  test('another image under the tag', async () => {
    docker.images.set('app:1', { id: `sha256:${'0'.repeat(64)}` });
    await expect(push()).rejects.toMatchObject({ title: 'Pushed image differs' });
  });

  test('a layer whose content is another', async () => {
    docker.upload = (reference) => {
      uploadImage(reference, docker.layer);
      liar.blobs.set(digestOf(docker.layer), Buffer.from('LAYER'));
    };
    await expect(push()).rejects.toMatchObject({ title: 'Registry answer not valid' });
  });

  test('the containerd image store: the id is the digest of the manifest', async () => {
    docker.upload = (reference) => uploadImage(reference, docker.layer);
    uploadImage(there('app:1'), docker.layer);
    const id = digestOf(liar.manifests.get('app 1')?.bytes as Buffer);
    docker.images.set('app:1', { id });
    await push();
  });

  test('the containerd image store: one image of an index, by Docker’s own word', async () => {
    const index = `sha256:${'9'.repeat(64)}`;
    docker.images.set('app:1', { id: index });
    const says = docker.says;
    docker.says = (reference) => {
      const pushed = digestOf(liar.manifests.get('app 1')?.bytes as Buffer);
      return `${says(reference)}\n\u001b[31m${index}\u001b[0m -> \u001b[32m${pushed}\u001b[0m\n`;
    };
    await push();
    docker.says = says;
    await expect(push()).rejects.toMatchObject({ title: 'Pushed image differs' });
  });

  test('an index of several images, and one with a gap', async () => {
    docker.upload = () => {
      const config = liar.blob(Buffer.from(configText));
      const amd64 = liar.put('app', 'amd64', OCI, { mediaType: OCI, config, layers: [] });
      const { digest } = liar.put('app', '1', INDEX, {
        mediaType: INDEX,
        manifests: [{ mediaType: OCI, ...amd64 }],
      });
      docker.images.set('app:1', { id: digest });
    };
    docker.upload('');
    liar.manifests.clear();
    await push();
    liar.manifests.clear();
    docker.upload = () => {
      const { digest } = liar.put('app', '1', INDEX, { manifests: [{ digest: diffId, size: 1 }] });
      docker.images.set('app:1', { id: digest });
    };
    docker.upload('');
    liar.manifests.clear();
    await expect(push()).rejects.toThrow(`has no image manifest ${diffId}`);
  });

  test('large layers that were there before are only probed, and new ones are read', async () => {
    docker.layer = Buffer.alloc(33 * 1024 * 1024, 1);
    await push();
    liar.seen.length = 0;
    await push();
    expect(logged.at(-1)).toContain('1 known layers are still complete');
    liar.blobs.set(digestOf(docker.layer), Buffer.alloc(100));
    docker.upload = () => {};
    await expect(push()).rejects.toThrow('it does not have all 34603008 bytes');
  });
});
