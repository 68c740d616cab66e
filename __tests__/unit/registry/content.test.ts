import { createHash } from 'node:crypto';
import { type ContentApi, contentApi, isMissing, type Receiver } from '../../../src/registry/content';
import { type RegistryHttp, registryHttp } from '../../../src/registry/http';
import { BRIEF } from '../../../src/registry/patient-reads';
import { Liar } from './liar';

let liar: Liar;
let connection: RegistryHttp;
let api: ContentApi;

beforeEach(async () => {
  liar = new Liar();
  connection = registryHttp(await liar.start(), { idleMs: 400, totalMs: 800 });
  api = contentApi(connection, { sleep: async () => {}, patience: BRIEF });
});
afterEach(async () => {
  connection.close();
  await liar.stop();
});

/** Keeps what comes, and takes its time over it. */
class Slow implements Receiver {
  bytes: Buffer;
  resets = 0;
  constructor(has = Buffer.alloc(0)) {
    this.bytes = has;
  }
  get length() {
    return this.bytes.length;
  }
  async update(chunk: Buffer) {
    // The chunk itself is given back afterwards.
    const copy = Buffer.from(chunk);
    await new Promise((resolve) => setImmediate(resolve));
    this.bytes = Buffer.concat([this.bytes, copy]);
  }
  async reset() {
    this.resets += 1;
    this.bytes = Buffer.alloc(0);
  }
}

const CONTENT = Buffer.alloc(3_000_000, 'some content ');

test('a blob comes whole, chunk by chunk', async () => {
  const blob = liar.blob(CONTENT);
  const into = new Slow();
  await api.readBlob('a', blob, into);
  expect(into.bytes.equals(CONTENT)).toBe(true);
});

test('what is there already is not asked for again', async () => {
  const blob = liar.blob(CONTENT);
  const into = new Slow(CONTENT.subarray(0, 1_000_000));
  await api.readBlob('a', blob, into);
  expect(into.bytes.equals(CONTENT)).toBe(true);
  expect(into.resets).toBe(0);
});

test('a receiver that takes its time for longer than the registry may be silent: what it has is not asked for again', async () => {
  const blob = liar.blob(CONTENT);
  class Slower extends Slow {
    private calls = 0;
    override async update(chunk: Buffer) {
      this.calls += 1;
      const copy = Buffer.from(chunk);
      if (this.calls === 1) await new Promise((resolve) => setTimeout(resolve, 600));
      await super.update(copy);
    }
  }
  const into = new Slower();
  await api.readBlob('a', blob, into);
  expect(into.bytes.equals(CONTENT)).toBe(true);
  expect(into.resets).toBe(1);
});

test('a connection that ends in the middle: the rest is asked for', async () => {
  const blob = liar.blob(CONTENT);
  const path = `/v2/a/blobs/${blob.digest}`;
  liar.lies.set(path, (_, response) => {
    liar.lies.delete(path);
    response.writeHead(200, { 'content-length': CONTENT.length });
    response.write(CONTENT.subarray(0, 1_000_000), () => setTimeout(() => response.destroy(), 50));
  });
  const into = new Slow();
  await api.readBlob('a', blob, into);
  expect(into.bytes.equals(CONTENT)).toBe(true);
});

test.each([
  ['it knows no ranges', (size: number) => [200, {}, CONTENT.subarray(0, size)] as const],
  ['it has no such range', () => [416, {}, Buffer.alloc(0)] as const],
])('%s: all of it is asked for', async (_, answer) => {
  const blob = liar.blob(CONTENT);
  const path = `/v2/a/blobs/${blob.digest}`;
  liar.lies.set(path, (_, response) => {
    liar.lies.delete(path);
    const [status, headers, body] = answer(CONTENT.length);
    response.writeHead(status, headers).end(body);
  });
  const into = new Slow(Buffer.from('something else'));
  await api.readBlob('a', blob, into);
  expect(into.bytes.equals(CONTENT)).toBe(true);
});

test('another part than the one that was asked for is refused', async () => {
  const blob = liar.blob(CONTENT);
  liar.lies.set(`/v2/a/blobs/${blob.digest}`, (_, response) =>
    response.writeHead(206, { 'content-range': `bytes 0-9/${CONTENT.length}` }).end(CONTENT.subarray(0, 10)),
  );
  await expect(api.readBlob('a', blob, new Slow(CONTENT.subarray(0, 5)))).rejects.toThrow(
    'it sent another part than it was asked for',
  );
});

test('more than the size is refused; what is not there is told apart', async () => {
  const blob = liar.blob(CONTENT);
  await expect(api.readBlob('a', { ...blob, size: 100 }, new Slow())).rejects.toThrow(
    'more than the 100 bytes',
  );
  const none = { ...blob, digest: `sha256:${'0'.repeat(64)}` };
  const error = await api.readBlob('a', none, new Slow()).catch((error: unknown) => error);
  expect(isMissing(error)).toBe(true);
});

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  // The same memory each time, as a file is read.
  const buffer = Buffer.alloc(size);
  for (let at = 0; at < bytes.length; at += size)
    yield buffer.subarray(0, bytes.copy(buffer, 0, at, Math.min(at + size, bytes.length)));
}

test('a blob is sent in chunks that are used again', async () => {
  const blob = liar.blob(CONTENT);
  liar.blobs.clear();
  const body = { length: CONTENT.length, chunks: inChunks(CONTENT, 100_000) };
  expect(await api.sendBlob('a', blob, null, body)).toBe(true);
  const sent = liar.blobs.get(blob.digest) ?? Buffer.alloc(0);
  expect(createHash('sha256').update(sent).digest('hex')).toBe(blob.digest.slice(7));
});

test('what another repository has is not sent', async () => {
  const blob = liar.blob(CONTENT);
  const asked: (string | undefined)[] = [];
  liar.lies.set('/v2/a/blobs/uploads/', (request, response) => {
    asked.push(request.url);
    response.writeHead(201).end();
  });
  const never = { length: 1, chunks: inChunks(CONTENT, 1) };
  expect(await api.sendBlob('a', blob, 'b/c', never)).toBe(false);
  expect(asked).toEqual([`/v2/a/blobs/uploads/?mount=${blob.digest}&from=b/c`]);
});

test('a body that fails on its way fails the request, with what it says', async () => {
  const blob = liar.blob(CONTENT);
  async function* failing(): AsyncGenerator<Buffer> {
    yield CONTENT.subarray(0, 1000);
    throw new Error('the disk is gone');
  }
  await expect(api.sendBlob('a', blob, null, { length: CONTENT.length, chunks: failing() })).rejects.toThrow(
    'the disk is gone',
  );
});

test('a refusal in the middle of a body is an answer', async () => {
  const blob = liar.blob(CONTENT);
  liar.lies.set('/v2/a/blobs/uploads/1', (_, response) =>
    response.writeHead(413).end('{"errors":[{"code":"SIZE_INVALID"}]}'),
  );
  const body = { length: CONTENT.length, chunks: inChunks(CONTENT, 100_000) };
  await expect(api.sendBlob('a', blob, null, body)).rejects.toThrow(
    /status 413 \(SIZE_INVALID\)|EPIPE|reset/,
  );
});

test('an upload elsewhere is refused', async () => {
  const blob = liar.blob(CONTENT);
  liar.lies.set('/v2/a/blobs/uploads/', (_, response) =>
    response.writeHead(202, { location: 'http://192.0.2.1/v2/a/blobs/uploads/1' }).end(),
  );
  const body = { length: 1, chunks: inChunks(CONTENT, 1) };
  await expect(api.sendBlob('a', blob, null, body)).rejects.toThrow('it wants the upload somewhere else');
});

test('the digest of a tag; null where there is none', async () => {
  const type = 'application/vnd.oci.image.index.v1+json';
  const { digest } = liar.put('a', '1', type, { manifests: [] });
  expect(await api.manifestDigest('a', '1')).toBe(digest);
  expect(await api.manifestDigest('a', '2')).toBeNull();
  liar.lies.set('/v2/a/manifests/1', (_, response) => response.writeHead(200).end());
  await expect(api.manifestDigest('a', '1')).rejects.toThrow('no Docker-Content-Digest');
});
