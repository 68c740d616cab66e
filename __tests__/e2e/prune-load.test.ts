import { createHash, randomBytes } from 'node:crypto';
import { type IncomingMessage, Agent as KeepAlive, request } from 'node:http';
import { action, environment, lab, output, type Seen, succeeding } from './lab';
import { basics } from './machines';
import { IMAGE, INDEX, type Stored, StoredImages } from './stored-images';

// Pushes and pulls go on all the time while there is one prune after another, also pushes of what the prune is about to delete:
// none fails, and each pushed image is complete in the end. Judged by the clients, and by the registry's answers.

jest.setTimeout(300_000);

const POLICY = { repositories: 'old/* keep-newest=1' };
const agent = new KeepAlive({ keepAlive: true });

let inputs: Record<string, string>;
let host: string;

beforeAll(async () => {
  await lab('fault', 'clear');
  await lab('reset');
  await lab('situation', 'clients');
  const { LAB_INSTANCE_IP, LAB_HOST_ADDRESS } = await environment();
  host = String(LAB_INSTANCE_IP);
  const range = String(LAB_HOST_ADDRESS).replace(/\.\d+$/, '.0/24');
  inputs = { ...(await basics()), 'source-ranges': `runner,${range}` };
  await succeeding({ ...inputs, mode: 'bootstrap' });
});
afterAll(async () => {
  agent.destroy();
  await lab('reset', 'runner');
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** Without another try, whatever happens. */
function ask(
  method: string,
  path: string,
  body?: Buffer | string,
  type = 'application/octet-stream',
): Promise<Answer> {
  const url = path.startsWith('http') ? path : `http://${host}:5000/v2/${path}`;
  const headers = { accept: `${IMAGE}, ${INDEX}`, ...(body === undefined ? {} : { 'content-type': type }) };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: Number(response.statusCode),
          headers: response.headers,
          body: Buffer.concat(parts),
        }),
      );
    });
    sent.on('error', (error) => reject(new Error(`${method} ${path}: ${error.message}`)));
    sent.end(body);
  });
}

async function expectStatus(
  statuses: readonly number[],
  method: string,
  path: string,
  body?: Buffer | string,
  type?: string,
) {
  const answer = await ask(method, path, body, type);
  if (!statuses.includes(answer.status))
    throw new Error(`${method} ${path}: ${answer.status} ${answer.body}`);
  return answer;
}

const digestOf = (content: Buffer | string) => `sha256:${createHash('sha256').update(content).digest('hex')}`;

/** As clients do: it is sent where the registry does not have it. */
async function sendBlob(repository: string, content: Buffer): Promise<string> {
  const digest = digestOf(content);
  const { status } = await expectStatus([200, 404], 'HEAD', `${repository}/blobs/${digest}`);
  if (status === 200) return digest;
  const { headers } = await expectStatus([202], 'POST', `${repository}/blobs/uploads/`);
  await expectStatus([201], 'PUT', `${headers.location}&digest=${digest}`, content);
  return digest;
}

interface Pushed {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
  readonly blobs: readonly string[];
}

/** An image that was there already: its layers are the ones that others need no more. */
interface Old {
  readonly repository: string;
  readonly tag: string;
  readonly stored: Stored;
  readonly layer: { readonly digest: string; readonly content: Buffer };
}

const pushed: Pushed[] = [];
let count = 0;

/** Pushes an image with a layer of an old one: the registry is asked whether it has it, or is to mount it. */
async function pushWith({ repository: from, layer }: Old, into: string): Promise<void> {
  count += 1;
  const [repository, tag] = [into === '' ? from : into, `new-${count}`];
  if (into === '') await sendBlob(repository, layer.content);
  else {
    const mount = `${repository}/blobs/uploads/?mount=${layer.digest}&from=${from}`;
    const { status, headers } = await expectStatus([201, 202], 'POST', mount);
    if (status === 202)
      await expectStatus([201], 'PUT', `${headers.location}&digest=${layer.digest}`, layer.content);
  }
  const content = Buffer.from(JSON.stringify({ os: 'linux', id: count }));
  const config = await sendBlob(repository, content);
  const own = randomBytes(5000);
  const second = await sendBlob(repository, own);
  const describe = (digest: string, size: number) => ({
    mediaType: 'application/vnd.oci.image.layer.v1.tar',
    digest,
    size,
  });
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: IMAGE,
    config: { ...describe(config, content.length), mediaType: 'application/vnd.oci.image.config.v1+json' },
    layers: [describe(layer.digest, layer.content.length), describe(second, own.length)],
  });
  await expectStatus([201], 'PUT', `${repository}/manifests/${tag}`, manifest, IMAGE);
  pushed.push({ repository, tag, digest: digestOf(manifest), blobs: [config, layer.digest, second] });
}

/** All of it, with every byte that it consists of. */
async function pullWhole(repository: string, reference: string, statuses: readonly number[]): Promise<void> {
  const { status, body } = await expectStatus(statuses, 'GET', `${repository}/manifests/${reference}`);
  if (status === 404) return;
  const { config, layers } = JSON.parse(String(body)) as {
    config: { digest: string };
    layers: { digest: string }[];
  };
  for (const { digest } of [config, ...layers]) {
    const blob = await expectStatus([200], 'GET', `${repository}/blobs/${digest}`);
    if (digestOf(blob.body) !== digest) throw new Error(`${repository}/blobs/${digest} is another`);
  }
}

/** Images that the policy does not keep, put on the disk. */
async function putOld(): Promise<Old[]> {
  const store = new StoredImages();
  const old = Array.from({ length: 60 }, (_, number): Old => {
    const content = randomBytes(20_000);
    const digest = store.blob(content);
    const repository = `old/r${number % 12}`;
    const tag = `t${count}-${number}`;
    const stored = store.image(repository, [digest, store.layer(2000)], 10 + number);
    store.tag(repository, tag, stored, 10 + number);
    return { repository, tag, stored, layer: { digest, content } };
  });
  await store.put();
  return old;
}

const pick = <T>(items: readonly T[]): T => items[Math.floor(Math.random() * items.length)] as T;

/** Until it is told to end; what goes wrong ends it at once. */
function loop(state: { ended: boolean }, work: () => Promise<void>): Promise<void> {
  return (async () => {
    while (!state.ended) {
      await work();
      // A turn of the event loop, for a work that had nothing to do.
      await new Promise(setImmediate);
    }
  })();
}

/** What a client does in one turn: $1 is a reference that is new, `layer` a file of random bytes. */
const TURNS = {
  docker: `printf 'FROM scratch\\nCOPY layer /\\n' >Dockerfile
    DOCKER_BUILDKIT=0 docker build --quiet --tag $1 . && docker push -q $1 && docker image rm -f $1 && docker pull -q $1 && docker image rm -f $1`,
  builder: `printf 'FROM scratch\\nCOPY layer /\\n' >Dockerfile
    docker buildx build --builder load --progress plain --push --tag $1 . && docker buildx prune --builder load --all --force &&
    printf 'FROM %s\\n' $1 | docker buildx build --builder load --progress plain --output type=tar,dest=pulled -`,
  crane: `tar -cf layer.tar layer && crane append --insecure --new_layer layer.tar --new_tag $1 && crane pull --insecure $1 pulled`,
  podman: `tar -cf layer.tar layer && sudo podman --storage-driver vfs import -q layer.tar $1 && sudo podman --storage-driver vfs push -q --tls-verify=false $1 &&
    sudo podman --storage-driver vfs image rm -f $1 && sudo podman --storage-driver vfs pull -q --tls-verify=false $1 && sudo podman --storage-driver vfs image rm -f $1`,
} as const;
type Client = keyof typeof TURNS;

const BUILDER = `printf '%s' "$OUTPUT_buildkitd_config" >$W/buildkitd.toml
docker buildx create --name load --driver docker-container --buildkitd-config $W/buildkitd.toml --bootstrap`;

/** Clients in a later step of a job; each says how often it has pushed and pulled, and what became of it. */
function atWork(clients: readonly Client[], by: string): string {
  return `set +e
R=$OUTPUT_registry W=$(mktemp -d)
client() {
  n=0
  until [ -e /tmp/prunes-ended ]; do
    n=$((n + 1)); mkdir -p $W/$1; head -c 300000 /dev/urandom >$W/$1/layer
    ( set -e; cd $W/$1; $1_turn $R/${by}/$1:$n ) >$W/$1/log 2>&1 || { echo "=== $1 failed at $n"; cat $W/$1/log; return; }
  done
  echo "=== $1 well $n"
}
${clients.map((name) => `${name}_turn() { ${TURNS[name]}; }`).join('\n')}
${clients.includes('builder') ? BUILDER : ''}
${clients.map((name) => `client ${name} &`).join(' ')} wait
docker buildx rm load >/dev/null 2>&1`;
}

/** Of each repository the newest stays; of the images that go, nobody asks for half. */
const known = (old: readonly Old[]) => old.filter((_, number) => number % 2 === 0);
const untouched = (old: readonly Old[]) => old.filter((_, number) => number % 2 === 1 && number >= 12);

/** Prunes one after the other while all of these work; returns the images that nobody asked for meanwhile. */
async function pruneUnderLoad(prunes: number, clients: readonly Client[], by: string): Promise<Old[]> {
  await output('runner', 'rm -f /tmp/prunes-ended');
  let old = await putOld();
  const gone: Old[] = [];
  const state = { ended: false };
  const pullAgain = ({ repository, tag }: Pushed) => pullWhole(repository, tag, [200]);
  const pullOld = ({ repository, tag }: Old) => pullWhole(repository, tag, [200, 404]);
  const pullSome = async () => (pushed.length === 0 ? undefined : pullAgain(pick(pushed)));
  const loops = [0, 1].flatMap((number) => [
    loop(state, () => pushWith(pick(known(old)), '')),
    loop(state, () => pushWith(pick(known(old)), `mix/m${number}`)),
    loop(state, pullSome),
    loop(state, () => pullOld(pick(known(old)))),
  ]);
  const watched = Promise.all(loops).catch((error) => {
    state.ended = true;
    throw error;
  });
  watched.catch(() => undefined);
  const others = action({ ...inputs, mode: 'connect' }, ['--later', atWork(clients, by)]);
  const seen: Seen[] = [];
  try {
    for (let turn = 0; turn < prunes && !state.ended; turn += 1) {
      seen.push(await action({ ...inputs, mode: 'prune', ...POLICY }));
      gone.push(...untouched(old));
      if (turn + 1 < prunes) old = await putOld();
    }
  } finally {
    state.ended = true;
    await output('runner', 'touch /tmp/prunes-ended');
  }
  const { later } = await others;
  await watched;
  expect(seen.map(({ exitCode, maskedLog }) => (exitCode === 0 ? 0 : maskedLog))).toEqual(
    Array.from({ length: prunes }, () => 0),
  );
  const said = String(later?.output);
  expect(/^=== \S+ failed[\s\S]*/m.exec(said)?.[0] ?? '').toBe('');
  for (const name of clients) expect(said).toMatch(new RegExp(`^=== ${name} well [1-9]`, 'm'));
  expect(seen.some(({ outputs }) => Number(outputs.deleted) > 0)).toBe(true);
  return gone;
}

async function expectAllPushed(): Promise<void> {
  for (const { repository, tag } of pushed) await pullWhole(repository, tag, [200]);
}

/** A repository that is pushed to at that very moment is left; in the end, when nobody does, all goes. */
async function expectGone(old: readonly Old[]): Promise<void> {
  expect((await succeeding({ ...inputs, mode: 'prune', ...POLICY })).outputs.changed).toBeDefined();
  const answers = await Promise.all(
    old.map(({ repository, tag }) => ask('GET', `${repository}/manifests/${tag}`)),
  );
  expect(answers.map(({ status }) => status).filter((status) => status !== 404)).toEqual([]);
}

let gone: Old[];

test('three prunes, while four kinds of clients and eight that know the trap push and pull all the time', async () => {
  gone = await pruneUnderLoad(3, ['docker', 'builder', 'crane', 'podman'], 'load');
  expect(pushed.length).toBeGreaterThan(20);
  await expectAllPushed();
});

test('two more with Docker 26; then all goes that nobody asked for', async () => {
  await lab('reset', 'runner', '--kind', 'docker-26');
  expect(await output('runner', "docker version --format '{{.Server.Version}}'")).toMatch(/^26\./);
  gone.push(...(await pruneUnderLoad(2, ['docker'], 'load-26')));
  await expectAllPushed();
  await expectGone(gone);
  await expectAllPushed();
});
