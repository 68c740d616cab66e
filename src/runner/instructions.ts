/** How to let a Docker daemon accept the registry where this action cannot, as one sentence without a full stop. */
export function instructions(registry: string): string {
  return (
    `Add ${JSON.stringify(registry)} to "insecure-registries" in the daemon's configuration, reload the daemon, ` +
    'and set `configure-runner: false`'
  );
}

/** How to let a Docker daemon trust the authority of the registry where this action cannot, likewise. */
export function trustInstructions(registry: string): string {
  return (
    'Put the CA of the registry (output `ca-certificate` of a run with `mode: bootstrap`) where that daemon looks for it ' +
    `(/etc/docker/certs.d/${registry}/ca.crt on its machine), and set \`configure-runner: false\``
  );
}

/** Software that keeps a Docker daemon in a virtual machine of its own. */
export interface DockerProduct {
  readonly name: string;
  /** Where a person configures its daemon. */
  readonly where: string;
}

/**
 * By the socket that its context names, or by the operating system that its daemon names.
 *
 * Colima: https://github.com/abiosoft/colima/blob/main/docs/FAQ.md
 * OrbStack: https://docs.orbstack.dev/docker/
 */
const PRODUCTS: readonly (DockerProduct & { readonly socket: RegExp; readonly system?: RegExp })[] = [
  {
    name: 'Docker Desktop',
    socket: /\/\.docker\/(?:desktop|run)\/|docker_engine|dockerDesktop/i,
    system: /^Docker Desktop/,
    where: 'in its settings, Docker Engine',
  },
  {
    name: 'Colima',
    socket: /\/\.(?:config\/)?colima\//,
    where: 'with `colima start --edit`, under `docker:`',
  },
  {
    name: 'OrbStack',
    socket: /\/\.orbstack\//,
    system: /^OrbStack/,
    where: 'in its settings, Docker, which are ~/.orbstack/config/docker.json',
  },
  {
    name: 'Rancher Desktop',
    socket: /\/\.rd\//,
    system: /^Rancher Desktop/,
    where: 'in /etc/docker/daemon.json of its machine (`rdctl shell`)',
  },
  { name: 'Lima', socket: /\/\.lima\//, where: "in the machine's daemon.json (`limactl shell`)" },
  {
    name: 'Podman',
    socket: /podman/,
    where: 'with `insecure = true` for the registry in registries.conf',
  },
];

/** The product behind an endpoint of Docker's; null where it is not known as one. */
export function dockerProduct(endpoint: string, operatingSystem: string): DockerProduct | null {
  return (
    PRODUCTS.find(({ socket, system }) => socket.test(endpoint) || system?.test(operatingSystem)) ?? null
  );
}

/**
 * What lets a BuildKit builder push to the registry, as TOML: over HTTP, or with an authority of its own, whose file buildx
 * copies into the builder when it makes one. A builder of the driver `docker-container` reads neither the daemon's
 * configuration nor certs.d.
 *
 * https://docs.docker.com/build/buildkit/toml-configuration/
 *
 * @param registry `host:port`
 * @param authority null: the registry has a certificate that everybody trusts; `tunnel`: SSH knows the instance, and the
 *   certificate is for another address than that of the tunnel
 * @param authority.file on this runner; null: where Docker would look for it
 */
export function buildkitdConfig(
  registry: string,
  scheme: 'http' | 'https',
  authority: { readonly file: string | null } | 'tunnel' | null,
): string {
  const table = `[registry.${JSON.stringify(registry)}]\n`;
  if (scheme === 'http') return `${table}  http = true\n  insecure = true\n`;
  if (authority === null) return '';
  if (authority === 'tunnel') return `${table}  insecure = true\n`;
  const file = authority.file ?? `/etc/docker/certs.d/${registry}/ca.crt`;
  return `${table}  ca = [${JSON.stringify(file)}]\n`;
}

/** The text for the log of a job that has such builders. */
export function buildxAdvice(registry: string, builders: readonly string[], authority: boolean): string {
  return [
    `The buildx builder${builders.length === 1 ? '' : 's'} ${builders.join(', ')} will not push to ${registry} by itself:`,
    'builders of this kind read neither daemon.json nor certs.d. A step with `mode: connect` before docker/setup-buildx-action',
    'has this in its output `buildkitd-config`, for `buildkitd-config-inline`:',
    '',
    buildkitdConfig(registry, authority ? 'https' : 'http', authority ? { file: null } : null),
  ].join('\n');
}

/** The text for the log of a job that has such builders, where the registry is reached through the runner's loopback. */
export function loopbackAdvice(builders: readonly string[]): string {
  return [
    `The buildx builder${builders.length === 1 ? '' : 's'} ${builders.join(', ')} will not push through the tunnel by itself:`,
    'builders of this kind have a loopback of their own. Give this to docker/setup-buildx-action as `driver-opts`:',
    '',
    'network=host',
  ].join('\n');
}
