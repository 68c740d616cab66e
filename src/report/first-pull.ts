/** Lines of Markdown by which a machine accepts a registry that speaks plain HTTP. */
export function forPlainHttp(registry: string): string[] {
  return [
    'This goes into `/etc/docker/daemon.json`, beside what is there; then `sudo systemctl reload docker`:',
    '',
    `\`\`\`json\n${JSON.stringify({ 'insecure-registries': [registry] })}\n\`\`\``,
  ];
}

/**
 * The same for one whose authority it does not know. Docker looks at the directory with each connection:
 * https://docs.docker.com/engine/security/certificates/
 */
export function forAuthority(registry: string, ca: string): string[] {
  const directory = `/etc/docker/certs.d/${registry}`;
  return [
    'Docker and Podman trust the certificate authority of the registry by this, without a restart. The output `client-script`',
    'does it for a VM, login included. For others (containerd, k3s, BuildKit, Docker Desktop) see docs/clients.md.',
    '',
    '```sh',
    `sudo mkdir -p '${directory}'`,
    `sudo tee '${directory}/ca.crt' >/dev/null <<'END'`,
    `${ca.trim()}`,
    'END',
    '```',
  ];
}
