import { environment, output } from './lab';

/** Inputs that every run needs; `tags: test` is pushed. */
export async function basics(): Promise<Record<string, string>> {
  const { LAB_ZONE } = await environment();
  return { instance: 'registry-1', zone: String(LAB_ZONE), image: 'hello-world', tags: 'test' };
}

/**
 * A user of the instance's owner, `deployer`, with a key of their own; returns the inputs that log in with it, so that
 * a run needs no key in the metadata.
 */
export async function ownLogin(instance = 'registry-1'): Promise<Record<string, string>> {
  const key = await output(
    instance,
    `id deployer >/dev/null 2>&1 || useradd --create-home --shell /bin/bash deployer
     echo 'deployer ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/deployer
     install -d -m 700 -o deployer -g deployer /home/deployer/.ssh
     [ -f /root/deployer ] || ssh-keygen -q -t ed25519 -N '' -f /root/deployer
     install -m 600 -o deployer -g deployer /root/deployer.pub /home/deployer/.ssh/authorized_keys
     cat /root/deployer`,
  );
  return { 'ssh-user': 'deployer', 'ssh-private-key': key };
}

/** Restarts the Docker daemon of a machine, which systemd else refuses to do often within a minute. */
export async function restartDocker(machine: string): Promise<void> {
  await output(machine, 'systemctl reset-failed docker.service; systemctl restart docker.service');
}

/** What a run that changes nothing leaves as it is on an instance: containers, daemon, files and their times. */
export function fingerprint(instance = 'registry-1'): Promise<string> {
  return output(
    instance,
    `{ docker ps -q --no-trunc | sort; } 2>/dev/null || true
     pidof dockerd containerd || true
     find /etc/docker /etc/apt /etc/gce-registry /usr/local/lib/docker -type f -printf '%p %T@ %i\\n' 2>/dev/null | sort || true`,
  );
}

/** Digests that the registry on an instance serves, by `repository:tag`; with TLS or without, whoever it is that shows it. */
export async function served(
  instance: string,
  names: readonly string[],
  port = 5000,
): Promise<Record<string, string>> {
  const accept = [
    'application/vnd.oci.image.index.v1+json',
    'application/vnd.oci.image.manifest.v1+json',
    'application/vnd.docker.distribution.manifest.list.v2+json',
    'application/vnd.docker.distribution.manifest.v2+json',
  ].join(', ');
  const lines = await output(
    instance,
    `for name in ${names.join(' ')}; do
       curl -fsSLk -o /tmp/served -H 'Accept: ${accept}' "http://127.0.0.1:${port}/v2/\${name%:*}/manifests/\${name##*:}" &&
         echo "$name sha256:$(sha256sum /tmp/served | cut -d' ' -f1)"
     done`,
  );
  return Object.fromEntries(lines.split('\n').map((line) => line.split(' ')));
}
