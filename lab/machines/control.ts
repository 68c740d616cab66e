import { request } from 'node:http';
import { join } from 'node:path';
import { RUN } from './checkout.ts';
import { LabError } from './process.ts';

export const CONTROL_SOCKET = join(RUN, 'control.sock');

/** One request that the lab's cloud has seen. */
export interface ApiCall {
  readonly n: number;
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

/**
 * Asks the lab's cloud through its control socket and returns the JSON or text of its answer.
 *
 * @throws LabError when it does not run or refuses.
 */
export async function control<T>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await send(method, path, body).catch((error: NodeJS.ErrnoException) => {
    throw new LabError(`The lab's cloud does not answer (${error.code}): run 'bin/lab up' first.`);
  });
  if (answer.status >= 300)
    throw new LabError(`${method} ${path} of the lab's cloud: ${answer.status} ${answer.text}`);
  return (answer.json ? JSON.parse(answer.text) : answer.text) as T;
}

/** Whether the lab's cloud answers. */
export async function cloudAnswers(): Promise<boolean> {
  return send('GET', '/healthz').then(
    ({ status }) => status === 200,
    () => false,
  );
}

interface Answer {
  readonly status: number;
  readonly json: boolean;
  readonly text: string;
}

function send(method: string, path: string, body?: unknown): Promise<Answer> {
  return new Promise((done, fail) => {
    const message = request({ socketPath: CONTROL_SOCKET, method, path, timeout: 30_000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', fail);
      response.on('end', () =>
        done({
          status: response.statusCode ?? 0,
          json: String(response.headers['content-type']).includes('json'),
          text: Buffer.concat(chunks).toString(),
        }),
      );
    });
    message.on('error', fail);
    message.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
