import { control, environment, lab, on } from './lab.ts';

/** The lab as the measurements need it: one instance with a user of its owner's, who logs in with a key of theirs. */
export interface Ground {
  readonly instance: string;
  readonly ip: string;
  /** CIDR of the lab's network. */
  readonly subnet: string;
  readonly socket: string;
  /** A token with all permissions. */
  readonly accessToken: string;
  /** What every run names: the instance. */
  readonly basics: Readonly<Record<string, string>>;
}

/** Folder on the runner machine: the owner's key, known_hosts, and whatever a measurement needs. */
export const FOLDER = '/home/runner/bench';
/** The login of the owner's, with the options that plain ssh takes. */
export const SSH = `ssh -i ${FOLDER}/key -o UserKnownHostsFile=${FOLDER}/known_hosts -o BatchMode=yes`;
export const USER = 'deployer';

export async function survey(): Promise<Ground> {
  const env = await environment();
  const instance = String(env.LAB_INSTANCE);
  return {
    instance,
    ip: String(env.LAB_INSTANCE_IP),
    subnet: String(env.LAB_SUBNET),
    socket: String(env.LAB_CONTROL_SOCKET),
    accessToken: String(env.LAB_ACCESS_TOKEN),
    basics: { instance, zone: String(env.LAB_ZONE) },
  };
}

/**
 * Lets USER in with a key, and puts that key and the host's onto the runner machine.
 *
 * @returns inputs of a run that uses the key and a standing rule, and so changes nothing at Google
 */
export async function ownLogin({ instance, ip, subnet, basics }: Ground): Promise<Record<string, string>> {
  const key = await on(
    'runner',
    `mkdir -p ${FOLDER}\n[ -f ${FOLDER}/key ] || ssh-keygen -q -t ed25519 -N '' -f ${FOLDER}/key
    chown -R runner: ${FOLDER}\ncat ${FOLDER}/key`,
  );
  const publicKey = await on('runner', `cat ${FOLDER}/key.pub`);
  const hostKey = await on(
    instance,
    `id ${USER} >/dev/null 2>&1 || useradd --create-home --shell /bin/bash ${USER}
     echo '${USER} ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/${USER}
     install -d -m 700 -o ${USER} -g ${USER} /home/${USER}/.ssh
     echo '${publicKey}' >/home/${USER}/.ssh/authorized_keys
     cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub`,
  );
  await on('runner', `echo '${ip} ${hostKey}' >${FOLDER}/known_hosts`);
  return {
    ...basics,
    ...{ 'ssh-user': USER, 'ssh-private-key': key },
    // A name of its own: a run with the default `source-ranges` takes its standing rule away.
    ...{ 'source-ranges': subnet, 'firewall-rule': `${instance}-bench` },
  };
}

/** A bare instance in a project as new. */
export async function bare({ instance, socket }: Ground): Promise<void> {
  await control(socket, 'POST', '/reset');
  await lab(['reset', instance]);
}

/** Leaves nothing of the measurements behind, but Ansible on the runner machine. */
export async function tidy(ground: Ground): Promise<void> {
  await on('runner', `rm -rf ${FOLDER} /tmp/bench.log`);
  await bare(ground);
}
