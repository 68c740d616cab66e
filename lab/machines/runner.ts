import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { arch } from 'node:os';
import { basename, join } from 'node:path';
import { dockersPackages } from '../packages/apt-repository.ts';
import { CHECKOUT, RUN } from './checkout.ts';
import { ACT, fileName } from './go.ts';
import { ensureBase, ensureImage } from './images.ts';
import { acmeRoot, authority, containerOf } from './instance.ts';
import { DEFAULT_KIND, DEFAULT_RUNNER_KIND, RUNNER_KINDS, type RunnerKind } from './kinds.ts';
import { bootMachine, createMachine, imageOf, listMachines, removeMachine } from './machine.ts';
import { GATEWAY, RUNNER_IP } from './network.ts';

export const RUNNER = containerOf('runner');
/** Where the checkout is on the runner, read-only: the folder of a downloaded action, as on GitHub's. */
export const ACTION_FOLDER = '/home/runner/work/_actions/lab/gce-registry-action/main';
/** What the runner's Node trusts beyond its own: the lab's CA, and the root behind Let's Encrypt. */
export const CA_FILE = '/usr/local/share/gcelab-authorities.pem';

/** Where the action's processes write their coverage: on the host, so that a reset of the runner does not lose it. */
export const COVERAGE_FOLDER = '/var/lib/gcelab/coverage';
export const COVERAGE_ON_HOST = join(RUN, 'coverage');

/** The runner's, on the host. */
const RESOLV_CONF = join(RUN, 'resolv.conf');

/** Docker's packages on a runner of today or of yesterday, and Debian's on an older one. */
const DOCKERS_PACKAGES = ['docker-ce', 'docker-ce-cli', 'containerd.io', 'docker-buildx-plugin'];
const DEBIANS_PACKAGES = ['docker.io', 'docker-cli', 'docker-buildx'];
const OLD_PACKAGES = ['docker.io'];

/** Builds the image of the runner unless it is there. Where Docker of today is not built, it has Debian's. */
export async function ensureRunnerImage(kind: RunnerKind): Promise<string> {
  const packages = await packagesOf(kind);
  const areDockers = packages.length > 0;
  const debians = kind === 'docker-20' ? OLD_PACKAGES : DEBIANS_PACKAGES;
  const shown = kind === 'docker-20' || areDockers ? kind : 'docker-26';
  return ensureImage({
    name: shown === 'docker-29' ? 'runner' : `runner-${shown}`,
    folder: join(import.meta.dirname, 'images/runner'),
    base: await ensureBase(kind === 'docker-20' ? 'debian-12' : DEFAULT_KIND),
    args: {
      CHECKOUT: ACTION_FOLDER,
      NODE_PACKAGE: `node-linux-${arch()}`,
      ACT: fileName(ACT),
      DOCKER: (areDockers ? packages.map((path) => `./${basename(path)}`) : debians).join(' '),
    },
    files: { 'ca.crt': authority(), 'acme.crt': acmeRoot() },
    copies: packages,
  });
}

/** Files with Docker's own packages, for the kinds that have them. */
function packagesOf(kind: RunnerKind): Promise<readonly string[]> {
  if (kind === 'docker-29') return dockersPackages('29', DOCKERS_PACKAGES);
  return kind === 'docker-28' ? dockersPackages('28', DOCKERS_PACKAGES) : Promise.resolve([]);
}

/** Makes a fresh runner machine, in place of the one that is there, and boots it. */
export async function recreateRunner(kind?: RunnerKind): Promise<void> {
  const wanted = kind ?? (await runnerKind());
  const image = await ensureRunnerImage(wanted);
  await removeMachine(RUNNER);
  mkdirSync(COVERAGE_ON_HOST, { recursive: true });
  // For the runner's user.
  chmodSync(COVERAGE_ON_HOST, 0o777);
  // Docker's own is at a loopback address, which the runner's Docker does not pass on to containers: they would ask 8.8.8.8.
  // https://docs.docker.com/engine/daemon/troubleshoot/#dns-resolver-issues
  writeFileSync(RESOLV_CONF, `nameserver ${GATEWAY}\n`);
  await createMachine({
    container: RUNNER,
    hostname: 'runner',
    image,
    ip: RUNNER_IP,
    hosts: {},
    labels: { 'gcelab.runner': wanted },
    volumes: [
      `${CHECKOUT}:${ACTION_FOLDER}:ro`,
      `${COVERAGE_ON_HOST}:${COVERAGE_FOLDER}`,
      `${RESOLV_CONF}:/etc/resolv.conf`,
    ],
  });
  await bootMachine(RUNNER);
}

/** The kind of the runner that there is; the default where there is none. */
export async function runnerKind(): Promise<RunnerKind> {
  const kind = (await listMachines('gcelab.runner')).get(RUNNER);
  // A runner of an older recipe has no kind that is known here, and is made anew.
  return RUNNER_KINDS.find((each) => each === kind) ?? DEFAULT_RUNNER_KIND;
}

/** Whether there is a runner, made from the present recipe; running or not. */
export async function runnerIsCurrent(): Promise<boolean> {
  return (await imageOf(RUNNER)) === (await ensureRunnerImage(await runnerKind()));
}
