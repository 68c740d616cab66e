import { readlinkSync } from 'node:fs';
import { request } from 'node:http';

const DOCKER_SOCKET = '/var/run/docker.sock';
const LIMIT_MS = 20_000;

interface Inspected {
  readonly State: { readonly Pid: number; readonly Paused: boolean };
}

/** The first process of a container; 0 when there is none, or it does not run. */
export function processOf(container: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const path = `/containers/${container}/json`;
    const signal = AbortSignal.timeout(LIMIT_MS);
    const question = request({ socketPath: DOCKER_SOCKET, path, signal }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        if (answer.statusCode === 404) return resolve(0);
        if (answer.statusCode !== 200) return reject(new Error(`${path}: status ${answer.statusCode}`));
        const { State } = JSON.parse(Buffer.concat(chunks).toString()) as Inspected;
        resolve(State.Paused ? 0 : State.Pid);
      });
    });
    question.on('error', reject).end();
  });
}

/** Docker goes on naming a process for a moment after it has ended. */
export function hasNetwork(pid: number): boolean {
  try {
    readlinkSync(`/proc/${pid}/ns/net`);
    return true;
  } catch {
    return false;
  }
}
