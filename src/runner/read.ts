import { messageOf } from '../values/errors';
import { foreignBuilders } from './buildx';
import { daemonFiles, type FilesOnDisk, STORE } from './daemon-files';
import { BrokenDaemonJson, insecureRegistries } from './daemon-json';
import { type DockerInfo, isAccepted, parseDockerInfo } from './docker-info';
import { type DaemonProcess, findDaemon, type RunnerHost, startOf } from './host';

/** A registry that the runner's daemon shall accept. */
export interface Registry {
  readonly host: string;
  readonly port: number;
}

/** The runner's Docker daemon, as far as the registry goes. */
export interface RunnerState {
  /** The daemon accepts the registry already. */
  readonly accepted: boolean;
  /** Buildx builders that do not read daemon.json. */
  readonly builders: readonly string[];
  readonly info: DockerInfo | null;
  /** How daemon.json can be changed; null when nothing of it had to be looked at. */
  readonly access: Access | null;
}

export type Access =
  | {
      readonly kind: 'files';
      readonly daemon: DaemonProcess;
      readonly files: FilesOnDisk;
      readonly alive: ReadonlySet<number>;
    }
  /** The daemon cannot be configured from here; each is explained by plan.ts. */
  | { readonly kind: 'not-linux'; readonly platform: string }
  | { readonly kind: 'no-daemon'; readonly message: string }
  | { readonly kind: 'desktop' | 'rootless' | 'not-docker' | 'elsewhere' }
  | { readonly kind: 'remote'; readonly endpoint: string }
  | { readonly kind: 'no-permission' | 'flag'; readonly daemon: DaemonProcess }
  | { readonly kind: 'broken'; readonly daemon: DaemonProcess; readonly reason: string };

const TIMEOUT_MS = 30_000;

/** Reads the state of the runner; changes nothing, and never throws for what it finds. */
export async function readRunner(host: RunnerHost, registry: Registry, speaksHttps: () => Promise<boolean>) {
  const hasLedger = async () => (await host.list(STORE)).includes('daemon-json.ledger');
  const before = await hasLedger();
  const [{ info, message }, builders, https] = await Promise.all([
    dockerInfo(host),
    foreignBuilders(host),
    speaksHttps(),
  ]);
  const accepted = https || (info !== null && isAccepted(info, registry.host, registry.port));
  // An entry that another run put there is accepted now, and gone when that run ends, which may be meanwhile: it has
  // to be claimed.
  const isShared = !https && (before || (await hasLedger()));
  if (accepted && !isShared) return { accepted, builders, info, access: null };
  return { accepted, builders, info, access: await accessOf(host, info, message) };
}

/** What the daemon says about itself; null when it says nothing that can be used. */
export async function dockerInfo(host: RunnerHost): Promise<{ info: DockerInfo | null; message: string }> {
  const result = await host.exec('docker', ['info', '--format', '{{json .}}'], { timeoutMs: TIMEOUT_MS });
  const message = result.status === null ? `docker: ${result.signal}` : result.stderr.trim();
  // The client prints what it knows of itself, and status 1, when it cannot reach the daemon.
  return { info: result.status === 0 ? parseDockerInfo(result.stdout) : null, message };
}

async function accessOf(host: RunnerHost, info: DockerInfo | null, message: string): Promise<Access> {
  if (host.platform !== 'linux') return { kind: 'not-linux', platform: host.platform };
  if (info === null) return message === '' ? { kind: 'not-docker' } : { kind: 'no-daemon', message };
  if (info.operatingSystem.startsWith('Docker Desktop')) return { kind: 'desktop' };
  if (info.rootless) return { kind: 'rootless' };
  const endpoint = await endpointOf(host);
  if (endpoint !== '' && !endpoint.startsWith('unix://')) return { kind: 'remote', endpoint };
  const daemon = await findDaemon(host);
  if (daemon === null) return { kind: 'elsewhere' };
  if (daemon.hasRegistryFlag) return { kind: 'flag', daemon };
  const files = await daemonFiles(host, daemon).read();
  if (files === null) return { kind: 'no-permission', daemon };
  try {
    insecureRegistries(files.file);
  } catch (error) {
    if (!(error instanceof BrokenDaemonJson)) throw error;
    return { kind: 'broken', daemon, reason: messageOf(error) };
  }
  return { kind: 'files', daemon, files, alive: await livePids(host, files) };
}

/** Where the `docker` command finds its daemon, contexts and DOCKER_HOST taken into account. */
async function endpointOf(host: RunnerHost): Promise<string> {
  const format = '{{.Endpoints.docker.Host}}';
  const result = await host.exec('docker', ['context', 'inspect', '--format', format], {
    timeoutMs: TIMEOUT_MS,
  });
  return result.status === 0 ? result.stdout.trim() : '';
}

/** Those processes of the ledger's claims that still run. */
export async function livePids(host: RunnerHost, { ledger }: FilesOnDisk): Promise<ReadonlySet<number>> {
  const alive = new Set<number>();
  for (const { process } of ledger?.claims ?? []) {
    if (process && (await startOf(host, process.pid)) === process.started) alive.add(process.pid);
  }
  return alive;
}
