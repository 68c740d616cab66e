import { ActionError } from '../values/errors';
import { excerpt, lastLine, plain } from '../values/show';
import { instructions } from './instructions';
import type { Access, FileAccess } from './read';

type Refused = Exclude<Access, FileAccess>;

/**
 * Why the daemon cannot be configured from here.
 *
 * @param next what to do by hand, as one sentence without a full stop
 */
export function refusal(access: Refused, entry: string, next = instructions(entry)): ActionError {
  const doing = `letting this runner's Docker daemon accept ${entry}`;
  switch (access.kind) {
    case 'broken':
      return new ActionError('Broken daemon.json', {
        doing: `${doing}, in ${access.daemon.configFile}`,
        happened: access.reason,
        next: 'Correct the file; dockerd itself would refuse it at its next start',
      });
    case 'refused':
      return new ActionError('Runner daemon refuses its file', {
        doing: `${doing}, in ${access.daemon.configFile}`,
        happened: excerpt(access.reason),
        next: 'Take what it names out of the file, or out of the flags (`systemctl cat docker`): the daemon cannot reload the file as it is, and would not start again',
      });
    case 'read-only':
      return new ActionError('Runner daemon out of reach', {
        doing: `${doing}, in ${access.daemon.configFile}`,
        happened: `root cannot write the file (${excerpt(access.reason)})`,
        next: `Do it where the file is made (an image, a read-only mount, chattr +i): ${next}`,
      });
    case 'no-permission':
      return new ActionError('No permission to configure the runner', {
        doing,
        happened: 'the job runs neither as root nor with sudo without a password',
        next: `Allow one of the two, or do it by hand: ${next}`,
      });
    case 'flag':
      return new ActionError('Runner daemon has a conflicting flag', {
        doing,
        happened: 'it was started with --insecure-registry, beside which it refuses the same key in its file',
        next: `Add --insecure-registry=${entry} to its flags and restart it, or move the flags into ${access.daemon.configFile}`,
      });
    default:
      return new ActionError('Runner daemon out of reach', { doing, happened: whereIs(access), next });
  }
}

type Elsewhere = Exclude<
  Refused,
  { kind: 'broken' | 'refused' | 'read-only' } | { kind: 'flag' } | { kind: 'no-permission' }
>;

function whereIs(access: Elsewhere): string {
  switch (access.kind) {
    case 'not-linux':
      return `the runner's system is ${access.platform}, where only a person can configure Docker`;
    case 'product':
      return `it is that of ${access.product.name}, which is configured ${access.product.where}`;
    case 'rootless':
      return 'it is rootless: its file is ~/.config/docker/daemon.json, and `systemctl --user reload docker` loads it';
    case 'not-docker':
      return 'what answers to `docker` is not Docker (Podman: set `insecure = true` for the registry in registries.conf)';
    case 'elsewhere':
      return 'it does not run on this machine, or either it or the job is in a container of its own';
    case 'several':
      return 'several daemons of this machine listen at the socket that `docker` uses, so that it is not sure which one answers';
    case 'others':
      return `at ${plain(access.socket, 200)} listens no dockerd but ${plain(access.names.join(', '), 200)}`;
    case 'remote':
      return `\`docker\` reaches it at ${plain(access.endpoint).replace(/\/\/[^@/]*@/, '//')}, so that it is not sure on which machine, and which one, it is`;
    case 'no-daemon':
      return `it does not answer (${lastLine(access.message)})`;
  }
}
