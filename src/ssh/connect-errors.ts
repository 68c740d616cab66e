import { ActionError } from '../values/errors';
import { excerpt } from '../values/show';
import type { HostKeyPolicy, OfferedHostKey } from './host-keys';

interface Destination {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly policy: HostKeyPolicy;
}

/** Nothing answered at the SSH port: mostly a firewall, which the caller can look into. */
export class SshTimedOut extends ActionError {
  readonly host: string;
  readonly port: number;
  readonly waitedMs: number;

  constructor(host: string, port: number, waitedMs: number, advice?: string) {
    super('SSH timed out', {
      doing: `connecting to ${host}:${port}`,
      happened: `nothing answered within ${seconds(waitedMs)}`,
      next:
        advice ??
        `Check that the instance is running and that a firewall rule admits this runner to TCP port ${port}`,
    });
    this.host = host;
    this.port = port;
    this.waitedMs = waitedMs;
  }
}

/** Connections were refused or ended early for as long as it was tried. */
export function noConnection(to: Destination, detail: string, waitedMs: number): ActionError {
  return new ActionError('No SSH connection', {
    doing: `connecting to ${to.host}:${to.port}`,
    happened: waitedMs === 0 ? detail : `${detail}, for ${seconds(waitedMs)}`,
    next: `Check that the instance has booted, that sshd listens on port ${to.port} (\`gcloud compute instances get-serial-port-output\`), and that this runner has a way to that address${to.host.includes(':') ? " (GitHub's own runners have no IPv6)" : ''}`,
  });
}

/** The server does not take the key. */
export function loginRefused(to: Destination, waitedMs: number): ActionError {
  return new ActionError('SSH login refused', {
    doing: `logging in to ${to.host}:${to.port} as ${to.user}`,
    happened: `the server did not accept the key, for ${seconds(waitedMs)}`,
    next: 'Without ssh-private-key: check that the guest agent runs on the instance, and whether OS Login is enabled for its project (`gcloud compute project-info describe`), which makes it ignore the key: set enable-oslogin=FALSE in the metadata of this instance then. With it: check that its public key is in the authorized keys of ssh-user',
  });
}

/** Server and client have no algorithm in common; no waiting mends that. */
export function noCommonAlgorithm(
  to: Destination,
  { what, ours, theirs }: { readonly what: string; readonly ours: string; readonly theirs: string },
): ActionError {
  return new ActionError('No common SSH algorithm', {
    doing: `connecting to ${to.host}:${to.port}`,
    happened: `no ${what} is known to both sides: the server has ${excerpt(theirs, 400)}, this action has ${ours}`,
    next: `Let sshd on the instance take one of those as well (Ciphers, KexAlgorithms, MACs, HostKeyAlgorithms in /etc/ssh/sshd_config and sshd_config.d, or \`update-crypto-policies\`), and restart it`,
  });
}

/** The server wants something else than a key, or something more. */
export function keyNotEnough(to: Destination, methods: readonly string[]): ActionError {
  return new ActionError('SSH key is not enough', {
    doing: `logging in to ${to.host}:${to.port} as ${to.user}`,
    happened: `the server wants another way to log in: ${excerpt(methods.join(', '), 200)}`,
    next: `Allow \`PubkeyAuthentication\` and \`AuthenticationMethods publickey\` for ${to.user} in the instance's sshd configuration; a second factor cannot be given by a workflow`,
  });
}

/** The host key that was offered is not one that may be trusted. */
export function notAccepted(to: Destination, offered: OfferedHostKey): ActionError {
  const check = `Compare with the instance's own: \`gcloud compute ssh INSTANCE --command 'ssh-keygen -lf /etc/ssh/${fileOf(offered.type)}'\` from a machine you trust, or the serial console's output of the first boot; if it is the same, set ssh-host-key to that fingerprint`;
  const doing = `verifying the host key of ${to.host}:${to.port}`;
  const key = `${offered.type} key ${offered.fingerprint}`;
  if (to.policy.kind === 'unverified' || to.policy.keys.length === 0) {
    return new ActionError('Unknown host key', {
      doing,
      happened: `the server offered the ${key}, and no key of this instance is known; nothing was sent to it`,
      next: check,
    });
  }
  return new ActionError('Wrong host key', {
    doing,
    happened: `the server offered the ${key}, but ${to.policy.source} says ${expected(to.policy)}; nothing was sent to it`,
    next: `Someone may be between this runner and the instance, or the instance was made anew. ${check}`,
  });
}

function expected(policy: HostKeyPolicy & { kind: 'pinned' }): string {
  return policy.keys
    .map(({ type, fingerprint }) => (type === null ? fingerprint : `${type} ${fingerprint}`))
    .join(' or ');
}

function fileOf(type: string): string {
  const name = type === 'ssh-rsa' ? 'rsa' : type.startsWith('ecdsa') ? 'ecdsa' : 'ed25519';
  return `ssh_host_${name}_key.pub`;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
