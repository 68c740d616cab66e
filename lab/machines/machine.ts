import { existsSync, readFileSync } from 'node:fs';
import { NAMES } from '../cloud/names.ts';
import { LAB, labelOf } from '../number.ts';
import { GATEWAY, NETWORK } from './network.ts';
import { attempt, docker, eventually, LabError } from './process.ts';

/** A machine under systemd in a container of the host's engine. */
export interface Machine {
  /** `gcelab-registry-1`. */
  readonly container: string;
  readonly hostname: string;
  readonly image: string;
  readonly ip: string;
  /** Further names for /etc/hosts, by address. */
  readonly hosts: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
}

const BOOT_LIMIT_MS = 90_000;
/** In the order of their numbers, from linux/capability.h; the three that no machine needs are left out. */
const CAPABILITIES = [
  ...['CHOWN', 'DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'SETPCAP'],
  ...[
    'LINUX_IMMUTABLE',
    'NET_BIND_SERVICE',
    'NET_BROADCAST',
    'NET_ADMIN',
    'NET_RAW',
    'IPC_LOCK',
    'IPC_OWNER',
  ],
  ...[
    'SYS_MODULE',
    'SYS_RAWIO',
    'SYS_CHROOT',
    'SYS_PTRACE',
    'SYS_PACCT',
    'SYS_ADMIN',
    'SYS_BOOT',
    'SYS_NICE',
  ],
  ...[
    'SYS_RESOURCE',
    'SYS_TIME',
    'SYS_TTY_CONFIG',
    'MKNOD',
    'LEASE',
    'AUDIT_WRITE',
    'AUDIT_CONTROL',
    'SETFCAP',
  ],
  ...['MAC_OVERRIDE', 'MAC_ADMIN', 'SYSLOG', 'WAKE_ALARM', 'BLOCK_SUSPEND', 'AUDIT_READ'],
];

/** Makes the container of a machine, not running, with a fresh disk. */
export async function createMachine(machine: Machine): Promise<void> {
  await docker([
    ...['create', '--name', machine.container, '--hostname', machine.hostname],
    ...['--network', NETWORK, '--ip', machine.ip, '--restart', 'unless-stopped'],
    ...['--label', labelOf(LAB), ...named('--label', machine.labels, '=')],
    ...NAMES.flatMap((name) => ['--add-host', `${name}:${GATEWAY}`]),
    ...['--dns', GATEWAY],
    ...named('--add-host', machine.hosts, ':'),
    ...privileges(),
    ...[
      '--stop-signal',
      'SIGRTMIN+3',
      '--tmpfs',
      '/run:exec',
      '--tmpfs',
      '/run/lock',
      '--tmpfs',
      '/tmp:exec',
    ],
    ...['--volume', '/var/lib/docker', '--volume', '/var/lib/containerd'],
    ...machine.volumes.flatMap((volume) => ['--volume', volume]),
    machine.image,
  ]);
}

/** Starts a machine and waits until systemd has started everything. Throws when a unit fails or it takes too long. */
export async function bootMachine(container: string): Promise<void> {
  await docker(['start', container]);
  let state = '';
  const ended = await eventually(async () => {
    const answer = await attempt('docker', ['exec', container, 'systemctl', 'is-system-running']);
    state = answer.stdout.trim();
    return state === 'running' || state === 'degraded';
  }, BOOT_LIMIT_MS);
  if (ended && state === 'running') return;
  const failed = await attempt('docker', [
    'exec',
    container,
    'systemctl',
    '--failed',
    '--no-legend',
    '--plain',
  ]);
  throw new LabError(`${container} did not boot (${state || 'no answer'}). ${failed.stdout.trim()}`);
}

/** Removes a machine with its disk; nothing happens when there is none. */
export async function removeMachine(container: string): Promise<void> {
  await attempt('docker', ['rm', '--force', '--volumes', container]);
}

/** Label values of all machines of this lab, by container name. */
export async function listMachines(label: string): Promise<Map<string, string>> {
  const format = `{{.Names}}\t{{.Label "${label}"}}`;
  const text = await docker(['ps', '--all', '--filter', `label=${labelOf(LAB)}`, '--format', format]);
  const rows = text.split('\n').filter((line) => line !== '');
  return new Map(rows.map((line) => line.split('\t') as [string, string]));
}

/** All that systemd and a nested engine need, one by one: `--privileged` asks for more than some hosts can give. */
function privileges(): string[] {
  const cgroup2 = existsSync('/sys/fs/cgroup/cgroup.controllers');
  return [
    ...boundingSet().flatMap((name) => ['--cap-add', name]),
    ...['--security-opt', 'seccomp=unconfined', '--security-opt', 'apparmor=unconfined'],
    ...['--security-opt', 'systempaths=unconfined', '--device-cgroup-rule', 'a *:* rwm'],
    ...(cgroup2 ? ['--cgroupns', 'private'] : ['--volume', '/sys/fs/cgroup:/sys/fs/cgroup:rw']),
  ];
}

function boundingSet(): string[] {
  const line = /^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  const bits = BigInt(`0x${line?.[1] ?? '0'}`);
  return CAPABILITIES.filter((_, number) => (bits >> BigInt(number)) & 1n);
}

function named(option: string, values: Readonly<Record<string, string>>, sign: string): string[] {
  return Object.entries(values).flatMap(([name, value]) => [option, `${name}${sign}${value}`]);
}

/** Whether there is such a machine and it runs. */
export async function isRunning(container: string): Promise<boolean> {
  const answer = await attempt('docker', ['inspect', '--format', '{{.State.Running}}', container]);
  return answer.stdout.trim() === 'true';
}

/** The image that a machine was made from; empty when there is no such machine. */
export async function imageOf(container: string): Promise<string> {
  return (await attempt('docker', ['inspect', '--format', '{{.Config.Image}}', container])).stdout.trim();
}
