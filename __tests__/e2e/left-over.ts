import { compute, rules } from './compute';
import { output } from './lab';

/** The runner's Docker daemon, as an action must leave it behind. */
export interface RunnerSnapshot {
  /** Mode, owner and bytes of daemon.json; `absent` without one. */
  readonly file: string;
  /** Registries that the running daemon takes for insecure. */
  readonly insecure: string;
  /** Files by which Docker trusts authorities. */
  readonly authorities: string;
}

const DAEMON_JSON = '/etc/docker/daemon.json';

/** What `expectNothingLeft` compares with: take it before the run. */
export async function snapshotRunner(): Promise<RunnerSnapshot> {
  const [insecure = '', file = '', authorities = ''] = (
    await output(
      'runner',
      `timeout 90 bash -c 'until docker info >/dev/null 2>&1; do sleep 0.1; done'
       docker info -f '{{range .RegistryConfig.InsecureRegistryCIDRs}}{{.}} {{end}}{{range $name, $index := .RegistryConfig.IndexConfigs}}{{$name}}={{$index.Secure}} {{end}}'
       if [ -e ${DAEMON_JSON} ]; then echo $(stat -c '%a %U:%G' ${DAEMON_JSON}) $(base64 -w0 ${DAEMON_JSON}); else echo absent; fi
       echo $(find /etc/docker/certs.d /run/gce-registry-action/certificates/*/ 2>/dev/null | sort)`,
    )
  ).split('\n');
  // In no order, where Docker is of today.
  return { file, authorities, insecure: insecure.trim().split(/\s+/).sort().join(' ') };
}

/** The lines of `ssh-keys` in the metadata of an instance. */
export async function sshKeys(instance = 'registry-1'): Promise<string[]> {
  const { metadata } = await compute<{ metadata: { items?: { key: string; value: string }[] } }>(
    'GET',
    `zones/europe-west1-b/instances/${instance}`,
  );
  const value = metadata.items?.find(({ key }) => key === 'ssh-keys')?.value ?? '';
  return value.split('\n').filter((line) => line !== '');
}

/** Names of the openings of runs in a project. */
export async function openings(project = 'lab-project'): Promise<string[]> {
  return (await rules(project)).map(({ name }) => name).filter((name) => name.includes('-registry-run-'));
}

/**
 * After the post step: no key of a run in the metadata, no opening of a run, and the runner's daemon as it was. Asks
 * Google's API and Docker, not the action. `user` is the `ssh-user` of the runs.
 */
export async function expectNothingLeft(
  before: RunnerSnapshot,
  { instance = 'registry-1', project = 'lab-project', user = 'registry-action' } = {},
): Promise<void> {
  const keys = (await sshKeys(instance)).filter((line) => line.startsWith(`${user}:`));
  expect({ keys, openings: await openings(project), runner: await snapshotRunner() }).toEqual({
    keys: [],
    openings: [],
    runner: before,
  });
}
