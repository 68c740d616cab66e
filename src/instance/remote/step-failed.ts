import { ActionError, type Problem } from '../../values/errors';
import { excerpt } from '../../values/show';
import { clockSkew } from '../plan/clock';
import { NO_ROOM } from '../plan/disk-space';
import type { Action } from '../plan/steps';
import { certificateRefused } from './certificate-refused';
import { type Cause, causeOf } from './failure-cause';
import type { StepFailure } from './progress';

const EXCERPT_LINES = 15;

/**
 * The error for a step that failed: it names the step, the last lines of its output, and what to do. Where the output
 * tells the cause, the error is that of the cause.
 *
 * @param title the step as the log shows it
 * @param clockAhead seconds that the instance's clock is ahead of this runner's
 */
export function stepFailed(
  action: Action | undefined,
  title: string,
  failure: StepFailure,
  clockAhead: number,
): ActionError {
  const doing = `setting up the instance: ${title}`;
  const cause = causeOf(action?.kind, failure.lastLines, clockAhead);
  if (cause !== null) return causedBy(cause, doing, clockAhead);
  const output = failure.lastLines.slice(-EXCERPT_LINES).join(' | ');
  const happened =
    output === '' ? `the step ended with status ${failure.status}` : `the step failed: ${excerpt(output)}`;
  if (action?.kind === 'obtain-certificate')
    return certificateRefused(failure.lastLines, { doing, happened });
  return withoutCause(action, { doing, happened });
}

function causedBy({ kind, line }: Cause, doing: string, clockAhead: number): ActionError {
  const happened = `the step failed: ${excerpt(line)}`;
  switch (kind) {
    case 'disk-full':
      return new ActionError(
        'Instance disk is full',
        {
          doing,
          happened,
          next: 'Free some space on the instance (`df -h`, `sudo apt-get clean`, `sudo docker system df`), or enlarge its disk; then run again',
        },
        { code: NO_ROOM },
      );
    case 'lock-held':
      return new ActionError('Package manager is in use', {
        doing,
        happened,
        next: 'Another program on the instance kept apt or dpkg for 5 min: wait until it has ended (`ps -ef | grep -E "apt|dpkg"`), and run again',
      });
    case 'broken-package':
      return new ActionError('Package cannot be configured', {
        doing,
        happened,
        next: 'As long as dpkg cannot finish that package, apt ends every installation with an error: mend or remove it (`sudo dpkg --configure -a` shows what is the matter), and run again',
      });
    case 'no-candidate':
      return new ActionError('Package not available', {
        doing,
        happened,
        next: 'See what apt knows of it on the instance (`apt-cache policy docker-ce`): a pin in /etc/apt/preferences.d, or a source without it; or use docker-source: distro',
      });
    case 'removal':
      return new ActionError('Packages are in the way', {
        doing,
        happened: `${excerpt(line)}; nothing was removed`,
        next: 'With docker-source: distro Docker is installed beside the containerd of the distribution; or remove those packages yourself, when nothing needs them any more',
      });
    case 'proxy':
      return new ActionError('Proxy does not work', {
        doing,
        happened,
        next: "Check the proxy. Docker's own is in `systemctl show docker -p Environment` and /etc/docker/daemon.json, that of apt in `apt-config dump Acquire`, and that of the machine in /etc/environment",
      });
    case 'rate-limit':
      return new ActionError('Pull limit reached', {
        doing,
        happened,
        next: 'Set registry-mirrors to a mirror of Docker Hub such as https://mirror.gcr.io, or registry-image and ui-image to copies elsewhere; the limit of Docker Hub ends after 6 h at most',
      });
    case 'wrong-clock':
      return new ActionError('Instance clock is wrong', {
        doing,
        happened: `the clock of the instance is ${clockSkew(clockAhead)} this runner's, so it does not trust certificates and signatures: ${excerpt(line)}`,
        next: 'Let the instance keep its time (`timedatectl`; on Google Cloud chrony or systemd-timesyncd with metadata.google.internal), and run again',
      });
    case 'bad-signature':
      return new ActionError('Wrong signature of a package source', {
        doing,
        happened,
        next: 'Nothing was installed from it. Check docker-repository and what stands between it and the instance; if its key was changed, remove /etc/apt/keyrings/docker.asc on the instance, and run again',
      });
    case 'upstream-down':
      return new ActionError('Upstream is down', {
        doing,
        happened,
        next: 'Look at the status page of that service (https://www.dockerstatus.com for Docker), and run again later; docker-repository and registry-mirrors can name others',
      });
    case 'no-way-out':
      return new ActionError('No way out of the instance', {
        doing,
        happened,
        next: 'Check that the instance reaches the internet: without an external address it needs Cloud NAT, and no egress rule may deny it; or name mirrors that it reaches in docker-repository, registry-mirrors, registry-image and ui-image',
      });
  }
}

function withoutCause(action: Action | undefined, problem: Omit<Problem, 'next'>): ActionError {
  switch (action?.kind) {
    case 'repair-packages':
    case 'install-packages':
    case 'install-engine':
    case 'remove-packages':
      return new ActionError('Packages could not be installed', {
        ...problem,
        next: 'Look at the output of the step; check that the instance reaches its package mirrors and docker-repository (Cloud NAT without an external address), and its clock',
      });
    case 'install-keyring':
    case 'check-repository':
      return new ActionError("Docker's key could not be fetched", {
        ...problem,
        next: 'Check that the instance reaches docker-repository over HTTPS, or use docker-source: distro',
      });
    case 'pull-images':
      return new ActionError('Images could not be pulled', {
        ...problem,
        next: 'Check the names registry-image and ui-image, and that the instance reaches their registry; against rate limits of Docker Hub set registry-mirrors',
      });
    case 'start-engine':
    case 'reload-engine':
      return new ActionError('Docker did not start', {
        ...problem,
        next: 'Look at `journalctl -u docker` and /etc/docker/daemon.json on the instance',
      });
    case 'configure-front':
    case 'write-users':
      return new ActionError('The front refuses its configuration', {
        ...problem,
        next: 'What it had before goes on. front-image has to be Caddy 2.11.5 or later; look at the output of the step',
      });
    case 'start-containers':
      return new ActionError('Registry did not start', {
        ...problem,
        next: 'Look at the output of the step; `sudo docker compose --project-directory /etc/gce-registry logs` on the instance has more',
      });
    case 'mount-disk':
      return new ActionError('The restored disk could not be mounted', {
        ...problem,
        next: 'Nothing was unmounted before the data was found on it. Name another snapshot in data-disk-snapshot, or set data-path to where the data is on that disk; the disk can be deleted with `gcloud compute disks delete`',
      });
    default:
      return new ActionError('Setup step failed', {
        ...problem,
        next: 'Look at the output of the step, and at the free space of the instance',
      });
  }
}
