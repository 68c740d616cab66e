// Warm run: the action on an instance where there is nothing to do, pushing an image that is there. Beside it, Ansible
// checks the same state of the same instance from the same machine (bench/ansible/playbook.yml), with its defaults,
// facts gathered, over a connection of its own in each round, as a job on a fresh runner has it; and once more with
// pipelining, which is the first thing that people turn on for speed.
import { bare, FOLDER, type Ground, ownLogin, USER } from './ground.ts';
import { action, CHECKOUT, on, timedOnRunner } from './lab.ts';
import { median, sideBySide } from './measure.ts';
import { comparison, limit, type Row } from './table.ts';

const ROUNDS = 5;
const TLS_MOST = 1.2;
const TARGET = { most: 1.0, timesFaster: 8 };

export async function warm(ground: Ground): Promise<Row[]> {
  await bare(ground);
  const own = { ...(await ownLogin(ground)), image: 'hello-world', tags: 'test' };
  const ephemeral = { ...ground.basics, image: 'hello-world', tags: 'test' };
  await prepare(ground, [own, ephemeral]);
  const samples = await sideBySide(ROUNDS, {
    own: async () => unchanged(own),
    ephemeral: async () => unchanged(ephemeral),
    ansible: () => timedOnRunner(PLAYBOOK),
    pipelining: () => timedOnRunner(`export ANSIBLE_PIPELINING=1\n${PLAYBOOK}`),
  });
  const login = await withLogin(own);
  const ansible = { name: 'Ansible', samples: samples.ansible };
  const pipelining = { name: 'Ansible, pipelining', samples: samples.pipelining };
  return [
    comparison('warm run, key of the user, standing rule', samples.own, ansible, TARGET),
    comparison('warm run, default: key and opening of its own', samples.ephemeral, ansible, TARGET),
    comparison('warm run, key of the user, standing rule', samples.own, pipelining),
    limit('warm run, key of the user, TLS and a login', login, TLS_MOST, (value) => `${value.toFixed(2)} s`),
  ];
}

/** The same with TLS and a login; the median. */
async function withLogin(own: Readonly<Record<string, string>>): Promise<number> {
  const inputs = { ...own, tls: 'private-ca', username: 'bench', password: 'bench-password' };
  await action(inputs);
  const samples: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) samples.push(await unchanged(inputs));
  return median(samples);
}

async function unchanged(inputs: Readonly<Record<string, string>>): Promise<number> {
  const { outputs, seconds } = await action(inputs);
  if (outputs.changed !== 'false') throw new Error(`a warm run changed something: ${outputs.changes}`);
  return seconds;
}

/** Without a master that an earlier run left behind; fails where anything is not as it should be. */
const PLAYBOOK = `rm -rf "$HOME/.ansible/cp" && export LANG=C.UTF-8 &&
  ansible-playbook --inventory ${FOLDER}/inventory ${CHECKOUT}/bench/ansible/playbook.yml |
  tee /dev/stderr | grep -q 'changed=0 .*unreachable=0 .*failed=0'`;

/** Converges the instance, gives it the Python that images of Google's have, and gives the runner Ansible. */
async function prepare({ instance, ip }: Ground, runs: readonly Record<string, string>[]): Promise<void> {
  await on('runner', 'docker image inspect hello-world >/dev/null 2>&1 || docker pull --quiet hello-world');
  for (const inputs of runs) await action(inputs);
  await on(
    instance,
    `python3 -c 'import apt' 2>/dev/null || {
       apt-get update -q && apt-get install -y -q --no-install-recommends python3 python3-apt; } >/dev/null`,
  );
  await on(
    'runner',
    `command -v ansible-playbook >/dev/null || {
       echo 'Installing Ansible on the runner machine.' >&2
       apt-get update -q && apt-get install -y -q --no-install-recommends ansible
     } >/dev/null`,
  );
  const sources = '/etc/apt/sources.list.d/docker.sources';
  const archive = await on(
    instance,
    `tar --create --directory /etc/gce-registry compose.yaml compose.override.yaml --directory /etc/apt/sources.list.d docker.sources | base64 -w 0; [ -f ${sources} ]`,
  );
  const host = `registry ansible_host=${ip} ansible_user=${USER} stack=${FOLDER}/stack`;
  const options = `-o UserKnownHostsFile=${FOLDER}/known_hosts`;
  await on(
    'runner',
    `mkdir -p ${FOLDER}/stack && base64 -d <<<'${archive}' | tar --extract --directory ${FOLDER}/stack
     echo "${host} ansible_ssh_private_key_file=${FOLDER}/key ansible_ssh_common_args='${options}'" >${FOLDER}/inventory
     chown -R runner: ${FOLDER}`,
  );
  await timedOnRunner(PLAYBOOK);
}
