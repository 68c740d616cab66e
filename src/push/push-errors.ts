import type { LocalImage, Transfer } from '../docker/docker';
import { classifyFailure, type FailureKind, reasonOf } from '../docker/push-failure';
import type { ServedManifest } from '../registry/served-content';
import { ActionError } from '../values/errors';

/** The registry does not have what Docker pushed. */
export function notServed(name: string, happened: string): ActionError {
  return new ActionError('Pushed image not served', {
    doing: `reading ${name} back`,
    happened: `Docker says that the push succeeded, and ${happened}`,
    next: 'Check that no proxy stands between this runner and the registry, and look at the log of the registry',
  });
}

/** The registry has another image under the name. */
export function otherImage(name: string, { digest }: ServedManifest, local: LocalImage): ActionError {
  return new ActionError('Pushed image differs', {
    doing: `reading ${name} back`,
    happened: `it leads to ${digest}, which is not the local image ${local.id}`,
    next: 'See whether another job pushes the same tag at the same time, and push again',
  });
}

/** The error of a pull, by what Docker ended with. */
export function pullFailed(name: string, { output }: Transfer): ActionError {
  const kind = classifyFailure(output);
  const problem = {
    doing: `pulling ${name}`,
    happened: reasonOf(output) || 'Docker says no more than that it failed',
  };
  if (kind === 'no-such-image' || kind === 'denied' || kind === 'invalid-name') {
    return new ActionError('Image not found', {
      ...problem,
      next: 'Build or pull the image before this action, check the name in `image`, or log in to its registry first',
    });
  }
  return new ActionError('Image pull failed', { ...problem, next: remedies[kind] });
}

/** The error of a push, by what Docker ended with. */
export function pushFailed(reference: string, registry: string, { output }: Transfer): ActionError {
  const kind = classifyFailure(output);
  const problem = {
    doing: `pushing ${reference}`,
    happened:
      reasonOf(output) ||
      'Docker says no more than that it failed: something that is no registry answers there',
  };
  if (kind === 'https-expected') {
    return new ActionError('Runner does not accept the registry', {
      ...problem,
      next: `Set \`configure-runner: true\`, or add ${registry} to \`insecure-registries\` of this runner's Docker daemon`,
    });
  }
  if (kind === 'denied') {
    return new ActionError('Push denied', {
      ...problem,
      next: 'Set `username` and `password` to a login that may push; where something of your own stands before the registry, run docker/login-action before this action',
    });
  }
  return new ActionError('Push failed', { ...problem, next: remedies[kind] });
}

const remedies: Readonly<Record<FailureKind, string>> = {
  transient:
    'Check the connection and that the registry runs: a run with `mode: bootstrap` sets one up, and starts one that has stopped; its log on the instance says more',
  'https-expected': 'Let the Docker daemon of this runner trust that registry',
  denied: 'Log in to the registry first',
  'no-such-image': 'See whether something removes images on this runner at the same time',
  'invalid-name': 'Correct the name',
  'invalid-manifest': 'The registry takes no image of this kind; try `registry-image: registry:3`',
  'disk-full': 'Free space on the disk that is full, on this runner or on the instance',
  'rate-limit': 'Wait, log in to the registry that limits, or use a mirror',
  'no-daemon-access': 'Let the user of this job use Docker (group docker)',
  unknown: 'See the output of Docker above',
};
