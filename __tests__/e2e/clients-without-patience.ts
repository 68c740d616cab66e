import { createHash, randomBytes } from 'node:crypto';
import { type IncomingMessage, Agent as KeepAlive, request } from 'node:http';
import { IMAGE } from './stored-images';

// Clients that push and pull all the time, and try nothing twice: the first request that fails ends them. A connection that is
// kept may be closed at the moment of the next request, by any server, and clients send that one again
// (https://www.rfc-editor.org/rfc/rfc9112#section-9.3.1): so do these, and what changes something gets a connection of its own.

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

interface Pushed {
  readonly reference: string;
  readonly digest: string;
  readonly blobs: readonly string[];
}

const digestOf = (content: Buffer | string) => `sha256:${createHash('sha256').update(content).digest('hex')}`;

export class ClientsWithoutPatience {
  readonly pushed: Pushed[] = [];
  pulls = 0;
  private ended = false;
  private count = 0;
  private readonly agent = new KeepAlive({ keepAlive: true });
  private readonly loops: Promise<void>;

  /** @param host of the registry, at port 5000 */
  constructor(private readonly host: string) {
    const works = [() => this.push(), () => this.push(), () => this.pullOne(), () => this.pullOne()];
    this.loops = Promise.all(works.map((work) => this.repeat(work))).then(() => undefined);
    this.loops.catch(() => undefined);
  }

  /** Throws where a request failed; then all that was pushed is read once more. */
  async end(): Promise<void> {
    this.ended = true;
    await this.loops;
    for (const pushed of this.pushed) await this.pull(pushed);
    this.agent.destroy();
  }

  private async repeat(work: () => Promise<void>): Promise<void> {
    try {
      while (!this.ended) await work();
    } finally {
      this.ended = true;
    }
  }

  private async push(): Promise<void> {
    this.count += 1;
    const reference = `t${this.count}`;
    const [config, layer] = [Buffer.from(JSON.stringify({ id: this.count })), randomBytes(200_000)];
    const digests = [await this.send(config), await this.send(layer)];
    const describe = (content: Buffer) => ({
      mediaType: 'application/vnd.oci.image.layer.v1.tar',
      digest: digestOf(content),
      size: content.length,
    });
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: IMAGE,
      config: describe(config),
      layers: [describe(layer)],
    });
    await this.expect(201, 'PUT', `load/manifests/${reference}`, manifest, IMAGE);
    this.pushed.push({ reference, digest: digestOf(manifest), blobs: digests });
  }

  /** In two requests with a body, as Docker does. */
  private async send(content: Buffer): Promise<string> {
    const begun = await this.expect(202, 'POST', 'load/blobs/uploads/');
    const going = await this.expect(202, 'PATCH', String(begun.headers.location), content);
    await this.expect(201, 'PUT', `${going.headers.location}&digest=${digestOf(content)}`);
    return digestOf(content);
  }

  private async pullOne(): Promise<void> {
    const one = this.pushed[Math.floor(Math.random() * this.pushed.length)];
    // A turn of the event loop, where there is nothing yet.
    if (one === undefined) await new Promise(setImmediate);
    else await this.pull(one);
  }

  private async pull({ reference, digest, blobs }: Pushed): Promise<void> {
    const contents = [
      [`load/manifests/${reference}`, digest],
      ...blobs.map((blob) => [`load/blobs/${blob}`, blob]),
    ];
    for (const [path = '', wanted] of contents) {
      const { body } = await this.expect(200, 'GET', path);
      if (digestOf(body) !== wanted) throw new Error(`GET ${path}: other content`);
    }
    this.pulls += 1;
  }

  private async expect(
    status: number,
    method: string,
    path: string,
    body?: Buffer | string,
    type = 'application/octet-stream',
  ): Promise<Answer> {
    const answer = await this.ask(method, path, body, type);
    if (answer.status === status) return answer;
    throw new Error(`${new Date().toISOString()} ${method} ${path}: ${answer.status} ${answer.body}`);
  }

  private ask(
    method: string,
    path: string,
    body: Buffer | string | undefined,
    type: string,
  ): Promise<Answer> {
    const url = path.startsWith('http') ? path : `http://${this.host}:5000/v2/${path}`;
    const agent = method === 'GET' ? this.agent : false;
    const headers = { accept: IMAGE, ...(body === undefined ? {} : { 'content-type': type }) };
    return new Promise((resolve, reject) => {
      const fail = (error: Error) =>
        reject(new Error(`${new Date().toISOString()} ${method} ${path}: ${error.message}`));
      const sent = request(url, { method, headers, agent }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', fail);
        response.on('end', () =>
          resolve({
            status: Number(response.statusCode),
            headers: response.headers,
            body: Buffer.concat(parts),
          }),
        );
      });
      sent.on('error', (error) => {
        if (sent.reusedSocket) this.ask(method, path, body, type).then(resolve, reject);
        else fail(error);
      });
      sent.end(body);
    });
  }
}
