import { ActionError } from '../../values/errors';
import { shellQuote } from '../../values/quote';
import type { Facts } from '../facts/facts';
import { DATA_PATH_FILE, PROJECT, STACK_DIRECTORY } from '../stack/stack';
import type { Desired } from './desired';

const SUPPORTED = ['debian 12', 'debian 13', 'ubuntu 22.04', 'ubuntu 24.04'];
const ARCHITECTURES = ['x86_64', 'aarch64'];

/**
 * Refuses what no step can mend, before anything is changed.
 *
 * @throws ActionError `Unsupported operating system`, `Unsupported architecture`, `No systemd`, `Port in use`,
 *   `Containers are cut off`, `Images would be stranded`
 */
export function requirePossible(desired: Desired, facts: Facts): void {
  requireSystem(facts);
  requirePort(facts, desired.registry.port, 'registry-port');
  if (desired.registry.ui !== 'none') requirePort(facts, desired.registry.uiPort, 'ui-port');
  requireForwarding(facts);
  requireDataInPlace(desired, facts);
}

function requireSystem({ os, arch, systemd }: Facts): void {
  const doing = 'checking the operating system of the instance';
  if (!SUPPORTED.includes(`${os.id} ${os.version}`)) {
    throw new ActionError('Unsupported operating system', {
      doing,
      happened: `it is ${os.name === '' ? 'unknown' : os.name}`,
      next: 'Use an instance with Debian 12 or 13, or Ubuntu 22.04 or 24.04',
    });
  }
  if (!ARCHITECTURES.includes(arch)) {
    throw new ActionError('Unsupported architecture', {
      doing,
      happened: `its architecture is ${arch}`,
      next: 'Use an instance with an x86-64 (amd64) or Arm64 processor',
    });
  }
  if (!systemd) {
    throw new ActionError('No systemd', {
      doing,
      happened: 'systemd does not run on it, so no service can be kept running',
      next: 'Use an instance that boots with systemd, as all images of Debian and Ubuntu on Google Cloud do',
    });
  }
}

function requirePort(facts: Facts, port: number, input: string): void {
  const doing = `checking that port ${port} (${input}) of the instance is free`;
  const publishes = new RegExp(`:${port}->`);
  const other = facts.running.find(({ ports, project }) => project !== PROJECT && publishes.test(ports));
  if (other !== undefined) {
    throw new ActionError('Port in use', {
      doing,
      happened: `the container ${other.name} (${other.image}) publishes it`,
      next: `Stop that container, or choose another ${input}`,
    });
  }
  const ours = facts.running.some(({ ports, project }) => project === PROJECT && publishes.test(ports));
  const listener = facts.listeners.find((candidate) => candidate.port === port);
  if (listener === undefined || ours || listener.process === 'docker-proxy') return;
  throw new ActionError('Port in use', {
    doing,
    happened: `${listener.process === '' ? 'a program' : listener.process} listens on ${listener.address}:${port}`,
    next: `Stop that program, or choose another ${input}`,
  });
}

/** Only a restart of Docker writes its rules again, and that stops containers that may be others': not ours to do. */
function requireForwarding({ forwardingBlocked }: Facts): void {
  if (!forwardingBlocked) return;
  throw new ActionError('Containers are cut off', {
    doing: 'checking the way to the containers of the instance',
    happened:
      "Docker's rules in the table filter of iptables are gone (`iptables -F` removes them, or a firewall that starts anew), and without them the kernel drops what comes from outside for a published port",
    next: 'Restart Docker on the instance (`sudo systemctl restart docker`, which restarts its containers), and see what flushes the rules',
  });
}

/** Images stay where they are until somebody moves them: a registry that starts empty would look like a loss. */
function requireDataInPlace({ registry }: Desired, facts: Facts): void {
  const { data } = facts;
  const wanted = registry.dataPath ?? data.volume;
  const present = dataPlace(facts);
  if (present.path === wanted || !present.holdsImages) return;
  const create =
    registry.dataPath === null
      ? `sudo docker volume create ${PROJECT}_registry-data`
      : `sudo mkdir -p ${shellQuote(wanted)}`;
  const from = present.path === data.volume ? `the named volume (${present.path})` : present.path;
  throw new ActionError('Images would be stranded', {
    doing: `moving the registry's data to ${registry.dataPath ?? 'a named volume'}`,
    happened: `${from} still holds images, and the registry would start without them`,
    next:
      `On the instance: \`sudo docker compose --project-directory ${STACK_DIRECTORY} stop\`, ` +
      `\`${create}\`, ` +
      `\`sudo cp -a ${shellQuote(`${present.path}/.`)} ${shellQuote(`${wanted}/`)}\`, ` +
      `\`sudo rm -rf ${shellQuote(`${present.path}/docker`)}\`; or set data-path back`,
  });
}

/** Where the registry keeps its data now: as its container says, or else the record of the last run. */
function dataPlace({ data, containers, files }: Facts): { path: string; holdsImages: boolean } {
  const mounted = containers.find(({ service }) => service === 'registry')?.dataSource ?? null;
  const recorded = files.has(DATA_PATH_FILE) && data.recorded !== '' ? data.recorded : data.volume;
  const path = mounted ?? recorded;
  if (path === data.volume) return { path, holdsImages: data.volumeHoldsImages };
  // A place that neither we nor the inputs know may hold images.
  return { path, holdsImages: path !== data.recorded || data.recordedHoldsImages };
}

const MIB = 1024 * 1024;

/** What an installation of Docker with the images takes, generously. */
const INSTALLATION = { bytes: 1536 * MIB, inodes: 30_000 };
const IMAGES = { bytes: 256 * MIB, inodes: 5_000 };

/** @throws ActionError `Too little disk space` */
export function requireDisk(facts: Facts, work: { readonly install: boolean; readonly pull: boolean }): void {
  if (work.install) requireSpace(facts, 'root', INSTALLATION);
  if (work.pull) requireSpace(facts, 'docker', IMAGES);
}

/** Less than this is none: the registry writes state beside every layer. */
const NO_ROOM_BYTES = 16 * MIB;

/**
 * For a push that failed: a registry whose disk is full answers 500 like any other that fails.
 *
 * @throws ActionError `Registry disk is full`
 */
export function requireRoomForImages(facts: Facts): void {
  const disk = facts.disks.find(({ name }) => name === 'data');
  if (disk === undefined) return;
  const full = disk.available < NO_ROOM_BYTES || (disk.inodes > 0 && disk.inodesAvailable === 0);
  if (!full) return;
  throw new ActionError('Registry disk is full', {
    doing: 'storing the image in the registry',
    happened: `the disk at ${disk.mount} of the instance has ${Math.floor(disk.available / MIB)} MiB and ${disk.inodesAvailable} inodes free`,
    next: 'Delete images and collect the garbage of the registry, or enlarge the disk; then run again',
  });
}

function requireSpace(facts: Facts, name: string, need: { bytes: number; inodes: number }): void {
  const disk = facts.disks.find((candidate) => candidate.name === name);
  if (disk === undefined) return;
  const doing = `checking the disk at ${disk.mount} of the instance`;
  if (disk.available < need.bytes) {
    throw new ActionError('Too little disk space', {
      doing,
      happened: `${Math.floor(disk.available / MIB)} MiB are free, and ${need.bytes / MIB} MiB are needed`,
      next: 'Free some space, or enlarge the disk of the instance',
    });
  }
  // Some file systems, as btrfs, have no fixed number of inodes and report 0.
  if (disk.inodes > 0 && disk.inodesAvailable < need.inodes) {
    throw new ActionError('Too little disk space', {
      doing,
      happened: `${disk.inodesAvailable} inodes are free, and ${need.inodes} are needed`,
      next: 'Remove files, or use a larger disk',
    });
  }
}
