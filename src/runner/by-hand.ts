/** How to let a Docker daemon accept the registry where this action cannot, as one sentence without a full stop. */
export function byHand(registry: string): string {
  return (
    `Add ${JSON.stringify(registry)} to "insecure-registries" in the daemon's configuration, reload the daemon, ` +
    'and set `configure-runner: false`'
  );
}

/**
 * The part of a buildkitd.toml that lets BuildKit push to the registry over HTTP. A builder of the driver
 * `docker-container` does not read the daemon's configuration.
 *
 * https://docs.docker.com/build/buildkit/toml-configuration/
 */
export function buildkitdFragment(registry: string): string {
  return `[registry.${JSON.stringify(registry)}]\n  http = true\n  insecure = true\n`;
}

/** The text for the log of a job that has such builders. */
export function buildxAdvice(registry: string, builders: readonly string[]): string {
  return [
    `The buildx builder${builders.length === 1 ? '' : 's'} ${builders.join(', ')} will not push to ${registry} by itself:`,
    'builders of this kind do not read daemon.json. Give this to docker/setup-buildx-action as `buildkitd-config-inline`:',
    '',
    buildkitdFragment(registry),
  ].join('\n');
}
