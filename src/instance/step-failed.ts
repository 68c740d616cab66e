import { ActionError } from '../errors';
import { excerpt } from '../show';
import type { StepFailure } from './progress';
import type { Action } from './steps';

/**
 * The error for a step that failed: it names the step, the last lines of its output, and what to do.
 *
 * @param title the step as the log shows it
 */
export function stepFailed(action: Action | undefined, title: string, failure: StepFailure): ActionError {
  const doing = `setting up the instance: ${title}`;
  const output = failure.lastLines.join(' | ');
  const happened =
    output === '' ? `the step ended with status ${failure.status}` : `the step failed: ${excerpt(output)}`;
  switch (action?.kind) {
    case 'repair-packages':
    case 'install-packages':
    case 'install-engine':
    case 'remove-packages':
      return new ActionError('Packages could not be installed', {
        doing,
        happened,
        next: 'Look at the output of the step; check that the instance reaches its package mirrors and docker-repository (Cloud NAT without an external address), and its clock',
      });
    case 'install-keyring':
      return new ActionError("Docker's key could not be fetched", {
        doing,
        happened,
        next: 'Check that the instance reaches docker-repository over HTTPS, or use docker-source: distro',
      });
    case 'pull-images':
      return new ActionError('Images could not be pulled', {
        doing,
        happened,
        next: 'Check the names registry-image and ui-image, and that the instance reaches their registry; against rate limits of Docker Hub set registry-mirrors',
      });
    case 'start-engine':
    case 'reload-engine':
      return new ActionError('Docker did not start', {
        doing,
        happened,
        next: 'Look at `journalctl -u docker` and /etc/docker/daemon.json on the instance',
      });
    case 'start-containers':
      return new ActionError('Registry did not start', {
        doing,
        happened,
        next: 'Look at the output of the step; `sudo docker compose --project-directory /etc/gce-registry logs` on the instance has more',
      });
    default:
      return new ActionError('Setup step failed', {
        doing,
        happened,
        next: 'Look at the output of the step, and at the free space of the instance',
      });
  }
}
