import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { RUN } from '../checkout.ts';
import { type ApiCall, control } from '../control.ts';
import { containerOf } from '../instance.ts';
import { attempt } from '../process.ts';

/** What a run looked like from outside. */
export interface Seen {
  readonly ssh: { readonly connections: number; readonly commands: number };
  readonly api: readonly ApiCall[];
}

/** Begins to watch the Compute API and the SSH server of an instance; call what it returns to end that. */
export function watch(instance: string | undefined): () => Promise<Seen> {
  const [after, since] = [lastCall(), Date.now()];
  return async () => ({
    ssh: await sshSince(containerOf(instance ?? ''), since),
    api: await control<ApiCall[]>('GET', `/log?after=${after}`),
  });
}

/** Number of the last call in the API's log: in the last line of the file, which may be long. */
function lastCall(): number {
  const file = openSync(join(RUN, 'api.jsonl'), 'r');
  try {
    const { size } = fstatSync(file);
    const tail = Buffer.alloc(Math.min(size, 65_536));
    readSync(file, tail, 0, tail.length, size - tail.length);
    const last = tail.toString().trimEnd().split('\n').at(-1);
    return last ? (JSON.parse(last) as ApiCall).n : 0;
  } finally {
    closeSync(file);
  }
}

/** OpenSSH at LogLevel VERBOSE: one line for a login, one for each command, shell or subsystem. */
async function sshSince(container: string, sinceMs: number): Promise<Seen['ssh']> {
  const { stdout } = await attempt('docker', [
    ...['exec', container, 'journalctl', `--since=@${sinceMs / 1000}`, '--output=cat', '--quiet'],
    ...['--identifier=sshd', '--identifier=sshd-session'],
  ]);
  return {
    connections: stdout.match(/^Accepted publickey for /gm)?.length ?? 0,
    commands: stdout.match(/^Starting session: /gm)?.length ?? 0,
  };
}
