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
 * The part of a buildkitd.toml that lets BuildKit push to the registry: over HTTP, or with an authority of its own, whose
 * file buildx copies into the builder. A builder of the driver `docker-container` does not read the daemon's configuration.
 *
 * https://docs.docker.com/build/buildkit/toml-configuration/
 */
export function buildkitdFragment(registry: string, authority: boolean): string {
  const how = authority
    ? `  ca = [${JSON.stringify(`/etc/docker/certs.d/${registry}/ca.crt`)}]\n`
    : '  http = true\n  insecure = true\n';
  return `[registry.${JSON.stringify(registry)}]\n${how}`;
}

/** The text for the log of a job that has such builders. */
export function buildxAdvice(registry: string, builders: readonly string[], authority: boolean): string {
  return [
    `The buildx builder${builders.length === 1 ? '' : 's'} ${builders.join(', ')} will not push to ${registry} by itself:`,
    'builders of this kind read neither daemon.json nor certs.d. Give this to docker/setup-buildx-action as `buildkitd-config-inline`:',
    '',
    buildkitdFragment(registry, authority),
  ].join('\n');
}
