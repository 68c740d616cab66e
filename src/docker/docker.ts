import type { Exec, ExecResult } from '../job/exec';
import { ActionError } from '../values/errors';
import { lastLine } from '../values/show';
import type { ProxySettings } from './proxy';
import { classifyFailure } from './push-failure';

/** An image of the local daemon. */
export interface LocalImage {
  /** Digest of its configuration (classic image store) or of its manifest or index (containerd image store). */
  readonly id: string;
}

/** How a pull or a push ended. */
export interface Transfer {
  readonly ok: boolean;
  /** What Docker printed, both streams. */
  readonly output: string;
}

/** The Docker daemon that this runner's `docker` command talks to. References are canonical or familiar names. */
export interface Docker {
  /** Null when there is no such image. */
  inspect(reference: string): Promise<LocalImage | null>;
  tag(source: string, reference: string): Promise<void>;
  /** Removes a reference; the image stays while another one leads to it. A reference that is gone is no error. */
  untag(reference: string): Promise<void>;
  pull(reference: string, onLine: (line: string) => void): Promise<Transfer>;
  push(reference: string, onLine: (line: string) => void): Promise<Transfer>;
  /** The proxies that the daemon goes through. */
  proxies(): Promise<ProxySettings>;
}

/** Calls that only ask the daemon, and changes of references. */
const QUICK_MS = 60_000;
/** A pull or push of a large image over a slow line. */
const TRANSFER_MS = 60 * 60_000;

/**
 * Docker through its command line, which knows the user's contexts, credentials and DOCKER_HOST.
 *
 * @param config directory of the client's configuration; null: the user's
 * The methods throw ActionError: `Docker not found`, `Docker daemon not reachable`, `Docker command failed`.
 */
export function dockerCli(execAny: Exec, config: string | null = null): Docker {
  const exec: Exec =
    config === null
      ? execAny
      : (command, args, options) => execAny(command, ['--config', config, ...args], options);
  const quick = async (doing: string, args: readonly string[]): Promise<ExecResult> => {
    const result = await exec('docker', args, { timeoutMs: QUICK_MS });
    if (result.status === null) throw notStarted(doing, result);
    return result;
  };
  const transfer = async (verb: string, reference: string, onLine: (line: string) => void) => {
    const result = await exec('docker', [verb, '--', reference], { timeoutMs: TRANSFER_MS, onLine });
    if (result.status === null)
      throw notStarted(`${verb === 'push' ? 'pushing' : 'pulling'} ${reference}`, result);
    return { ok: result.status === 0, output: `${result.stdout}\n${result.stderr}` };
  };

  return {
    async inspect(reference) {
      const doing = `looking for the image ${reference}`;
      const result = await quick(doing, ['image', 'inspect', '--', reference]);
      if (result.status === 0) return readInspect(result.stdout, doing);
      if (/no such image/i.test(result.stderr)) return null;
      throw commandFailed(doing, result);
    },
    async tag(source, reference) {
      const doing = `tagging ${source} as ${reference}`;
      const result = await quick(doing, ['image', 'tag', '--', source, reference]);
      if (result.status !== 0) throw commandFailed(doing, result);
    },
    async untag(reference) {
      const doing = `removing the tag ${reference}`;
      const result = await quick(doing, ['image', 'rm', '--no-prune', '--', reference]);
      if (result.status !== 0 && !/no such image/i.test(result.stderr)) throw commandFailed(doing, result);
    },
    pull: (reference, onLine) => transfer('pull', reference, onLine),
    push: (reference, onLine) => transfer('push', reference, onLine),
    async proxies() {
      const { stdout } = await quick('asking for its proxies', ['info', '--format', '{{json .}}']);
      return readProxies(stdout);
    },
  };
}

/** None where it says nothing of them. */
function readProxies(json: string): ProxySettings {
  let info: Readonly<Record<string, unknown>> = {};
  try {
    info = (JSON.parse(json) as typeof info | null) ?? {};
  } catch {
    // Not Docker's: nothing is known of its proxies.
  }
  const textOf = (name: string) => (typeof info[name] === 'string' ? info[name] : '');
  return { http: textOf('HttpProxy'), https: textOf('HttpsProxy'), no: textOf('NoProxy') };
}

function readInspect(json: string, doing: string): LocalImage {
  try {
    const [image] = JSON.parse(json) as { Id?: unknown }[];
    if (typeof image?.Id === 'string') return { id: image.Id };
  } catch (cause) {
    throw unreadable(doing, cause);
  }
  throw unreadable(doing, undefined);
}

function unreadable(doing: string, cause: unknown): ActionError {
  return new ActionError(
    'Docker command failed',
    {
      doing,
      happened: 'what `docker image inspect` printed describes no image',
      next: 'Look at the output of `docker image inspect` on this runner; is `docker` really Docker',
    },
    { cause },
  );
}

function notStarted(doing: string, result: ExecResult): ActionError {
  if (result.signal === 'ENOENT') {
    return new ActionError('Docker not found', {
      doing,
      happened: 'this runner has no command `docker`',
      next: 'Use a runner with Docker, such as ubuntu-24.04, or install Docker on it',
    });
  }
  return new ActionError('Docker command failed', {
    doing,
    happened: `the command was ended (${result.signal ?? 'no status'}); it may have taken too long`,
    next: 'Look at the state of the Docker daemon on this runner, and run again',
  });
}

/** The error for a command that ended with a status; its last line says why. */
function commandFailed(doing: string, result: ExecResult): ActionError {
  const happened = lastLine(result.stderr) || `the command ended with status ${result.status}`;
  const kind = classifyFailure(result.stderr);
  if (kind === 'no-daemon-access' || /docker (?:daemon|API)|error during connect/i.test(result.stderr)) {
    return new ActionError('Docker daemon not reachable', {
      doing,
      happened,
      next: 'Start the daemon, and let the user of this job use it (group docker, or DOCKER_HOST)',
    });
  }
  return new ActionError('Docker command failed', { doing, happened, next: 'Correct what the message says' });
}
