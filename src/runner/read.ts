import { messageOf } from '../values/errors';
import { foreignBuilders } from './buildx';
import { daemonFiles, type FilesOnDisk, someRecordExists } from './daemon-files';
import { BrokenDaemonJson, hasHosts, insecureRegistries } from './daemon-json';
import { type DaemonProcess, findListener } from './daemon-process';
import { type DockerInfo, isAccepted, parseDockerInfo } from './docker-info';
import { type RunnerHost, startOf } from './host';
import { type DockerProduct, dockerProduct } from './instructions';

/** A registry that the runner's daemon shall accept. */
export interface Registry {
  readonly host: string;
  readonly port: number;
}

/** How the registry speaks TLS, as far as the runner goes. */
export interface RegistryTls {
  /** Whether it answers HTTPS, with a certificate that is trusted or will be. */
  readonly speaksHttps: () => Promise<boolean>;
  /** The daemon has to be told of an authority, by a file of this machine. */
  readonly authority: boolean;
}

/** The runner's Docker daemon, as far as the registry goes. */
export interface RunnerState {
  /** The daemon accepts the registry already. */
  readonly accepted: boolean;
  /** The registry speaks HTTPS, and the daemon does not look at its certificate. */
  readonly unverified: boolean;
  /** Buildx builders that do not read daemon.json. */
  readonly builders: readonly string[];
  readonly info: DockerInfo | null;
  /** How daemon.json can be changed; null when nothing of it had to be looked at. */
  readonly access: Access | null;
}

/** The daemon that the `docker` command talks to, and its files. */
export interface FileAccess {
  readonly kind: 'files';
  readonly daemon: DaemonProcess;
  /** The socket that it was found by. */
  readonly socket: string;
  readonly files: FilesOnDisk;
  /** Those processes of the record's claims that still run. */
  readonly alive: ReadonlySet<number>;
}

export type Access =
  | FileAccess
  /** The daemon cannot be configured from here; each is explained by refusals.ts. */
  | { readonly kind: 'not-linux'; readonly platform: string }
  | { readonly kind: 'no-daemon'; readonly message: string }
  | { readonly kind: 'no-permission' }
  | { readonly kind: 'rootless' | 'not-docker' | 'elsewhere' | 'several' }
  | { readonly kind: 'product'; readonly product: DockerProduct }
  | { readonly kind: 'others'; readonly socket: string; readonly names: readonly string[] }
  | { readonly kind: 'remote'; readonly endpoint: string }
  | { readonly kind: 'flag'; readonly daemon: DaemonProcess }
  | {
      readonly kind: 'broken' | 'refused' | 'read-only';
      readonly daemon: DaemonProcess;
      readonly reason: string;
    };

const TIMEOUT_MS = 30_000;

/** Reads the state of the runner; changes nothing, and never throws for what it finds. */
export async function readRunner(
  host: RunnerHost,
  registry: Registry,
  { speaksHttps, authority }: RegistryTls,
): Promise<RunnerState> {
  const before = await someRecordExists(host);
  const [{ info, message }, builders, https] = await Promise.all([
    dockerInfo(host, TIMEOUT_MS),
    foreignBuilders(host),
    speaksHttps(),
  ]);
  const listed = info !== null && isAccepted(info, registry.host, registry.port);
  const accepted = https || listed;
  const found = { accepted, unverified: https && listed, builders, info };
  // An entry that another run put there is accepted now, and gone when that run ends, which may be meanwhile: it has
  // to be claimed. With TLS it is in the way, unless somebody still needs it.
  const isShared = before || (await someRecordExists(host));
  if (isShared && (listed || !accepted))
    return { ...found, access: await accessOf(host, info, message, accepted) };
  if (https) return { ...found, access: authority ? await refusedOf(host, info, message) : null };
  return { ...found, access: accepted ? null : await accessOf(host, info, message, accepted) };
}

/** Why files of this machine are none of the daemon's; null: they are. */
async function refusedOf(host: RunnerHost, info: DockerInfo | null, message: string): Promise<Access | null> {
  const found = await daemonOf(host, info, message);
  return found.kind === 'daemon' ? null : found;
}

/** What the daemon says about itself. */
export interface DockerAnswer {
  /** Null when it says nothing that can be used. */
  readonly info: DockerInfo | null;
  readonly message: string;
  /** It did not answer in time. */
  readonly hangs: boolean;
}

/** Asks the daemon about itself, for at most so many milliseconds. */
export async function dockerInfo(host: RunnerHost, timeoutMs: number): Promise<DockerAnswer> {
  const result = await host.exec('docker', ['info', '--format', '{{json .}}'], { timeoutMs });
  const hangs = result.status === null && /^SIG/.test(result.signal ?? '');
  const message = hangs
    ? `no answer to \`docker info\` for ${timeoutMs / 1000} s`
    : result.status === null
      ? `docker: ${result.signal}`
      : result.stderr.trim();
  // The client prints what it knows of itself, and status 1, when it cannot reach the daemon.
  return { info: result.status === 0 ? parseDockerInfo(result.stdout) : null, message, hangs };
}

async function accessOf(
  host: RunnerHost,
  info: DockerInfo | null,
  message: string,
  accepted: boolean,
): Promise<Access> {
  const found = await daemonOf(host, info, message);
  return found.kind === 'daemon' ? filesOf(host, found.daemon, found.socket, accepted) : found;
}

interface FoundDaemon {
  readonly kind: 'daemon';
  readonly daemon: DaemonProcess;
  readonly socket: string;
}

/** The daemon that `docker` talks to, where it is one of this machine. */
async function daemonOf(
  host: RunnerHost,
  info: DockerInfo | null,
  message: string,
): Promise<FoundDaemon | Exclude<Access, FileAccess>> {
  const endpoint = await endpointOf(host);
  const product = dockerProduct(endpoint, info?.operatingSystem ?? '');
  if (product !== null && (info !== null || host.platform !== 'linux')) return { kind: 'product', product };
  if (host.platform !== 'linux') return { kind: 'not-linux', platform: host.platform };
  if (info === null) return message === '' ? { kind: 'not-docker' } : { kind: 'no-daemon', message };
  if (info.rootless) return { kind: 'rootless' };
  if (!endpoint.startsWith('unix://')) return { kind: 'remote', endpoint };
  const socket = endpoint.slice('unix://'.length);
  const listener = await findListener(host, socket);
  switch (listener.kind) {
    case 'daemon':
      return { kind: 'daemon', daemon: listener.daemon, socket };
    case 'nobody':
      return { kind: 'elsewhere' };
    case 'others':
      return { kind: 'others', socket, names: listener.names };
    default:
      return { kind: listener.kind };
  }
}

async function filesOf(
  host: RunnerHost,
  daemon: DaemonProcess,
  socket: string,
  accepted: boolean,
): Promise<Access> {
  if (daemon.flags.includes('insecure-registries')) return { kind: 'flag', daemon };
  // A daemon that accepts the registry need not load its file again: it is not asked what it thinks of it.
  const files = await daemonFiles(host, daemon.configFile, daemon).read({ judge: !accepted });
  if (files === null) return { kind: 'no-permission' };
  if (files.elsewhere) return { kind: 'elsewhere' };
  try {
    insecureRegistries(files.file);
    if (daemon.flags.includes('hosts') && hasHosts(files.file)) {
      const reason = '"hosts" is in the file, and -H among the flags that the daemon was started with';
      return { kind: 'refused', daemon, reason: files.refusal ?? reason };
    }
  } catch (error) {
    if (!(error instanceof BrokenDaemonJson)) throw error;
    return { kind: 'broken', daemon, reason: messageOf(error) };
  }
  if (files.refusal !== null) return { kind: 'refused', daemon, reason: files.refusal };
  if (files.obstacle !== null) return { kind: 'read-only', daemon, reason: files.obstacle };
  return { kind: 'files', daemon, socket, files, alive: await livePids(host, files) };
}

/** Where the `docker` command finds its daemon, contexts and DOCKER_HOST taken into account. */
async function endpointOf(host: RunnerHost): Promise<string> {
  const format = '{{.Endpoints.docker.Host}}';
  const result = await host.exec('docker', ['context', 'inspect', '--format', format], {
    timeoutMs: TIMEOUT_MS,
  });
  return (result.status === 0 && result.stdout.trim()) || 'unix:///var/run/docker.sock';
}

/** Those processes of the record's claims that still run. */
export async function livePids(host: RunnerHost, { record }: FilesOnDisk): Promise<ReadonlySet<number>> {
  const alive = new Set<number>();
  for (const { process } of record?.claims ?? []) {
    if (process && (await startOf(host, process.pid)) === process.started) alive.add(process.pid);
  }
  return alive;
}
