import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Blocks } from '../compute/storage.ts';
import { processOf } from '../container.ts';

const run = promisify(execFile);

/** Where a disk is in a machine: the device, its numbers, and the machine's first process. */
interface Place {
  readonly device: string;
  readonly numbers: string;
  readonly pid: number;
}

/**
 * Disks as sparse files on loop devices of this host, and snapshots as copies of them. In a machine a disk is
 * /dev/disk/by-id/google-NAME, a link that Google's udev rules make and the lab makes in their place, since no udev runs in
 * a container: https://cloud.google.com/compute/docs/disks/disk-symlinks
 */
export class LoopBlocks implements Blocks {
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  async createDisk(disk: string, bytes: number, snapshot: string | null): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    const file = this.fileOf('disk', disk);
    if (snapshot !== null) await copy(this.fileOf('snapshot', snapshot), file);
    const handle = await open(file, 'a');
    await handle.truncate(bytes);
    await handle.close();
  }

  async deleteDisk(disk: string): Promise<void> {
    await rm(this.fileOf('disk', disk), { force: true });
  }

  /**
   * The file system is frozen while it is copied: Google's snapshot is of one moment, and a copy is not. So what was not
   * synced is in it too, which Google does not promise. A boot disk is the machine's own, of which there is no file:
   * its snapshot is empty.
   */
  async createSnapshot(disk: string, snapshot: string): Promise<number> {
    await mkdir(this.folder, { recursive: true });
    const [source, target] = [this.fileOf('disk', disk), this.fileOf('snapshot', snapshot)];
    if ((await stat(source).catch(() => null)) === null) {
      await this.createEmpty(target);
      return 0;
    }
    const thaw = await this.freeze(source);
    try {
      await copy(source, target);
    } finally {
      await thaw();
    }
    return (await stat(target)).blocks * 512;
  }

  async deleteSnapshot(snapshot: string): Promise<void> {
    await rm(this.fileOf('snapshot', snapshot), { force: true });
  }

  async attach(container: string | null, disk: string, deviceName: string): Promise<void> {
    if (container === null) return;
    const { stdout } = await run('losetup', ['--find', '--show', this.fileOf('disk', disk)]);
    const device = stdout.trim();
    const line = `${deviceName} ${device.replace('/dev/', '')} ${await numbersOf(device)}`;
    await this.inMachine(container, `echo '${line}' >>/etc/gcelab/disks && /usr/local/sbin/gcelab-disks`);
  }

  /** A file system that is mounted from it is lost, as on a machine whose disk goes away. */
  async detach(container: string | null, disk: string, deviceName: string): Promise<void> {
    const file = this.fileOf('disk', disk);
    for (const device of await devicesOf(file)) {
      const place = container === null ? null : await placeOf(container, device);
      for (const mount of place === null ? [] : mountsOf(place)) await shutDown(place?.pid ?? 0, mount);
      await run('losetup', ['--detach', device]).catch(() => undefined);
    }
    if (container === null) return;
    const words = `sed -i '/^${deviceName} /d' /etc/gcelab/disks; gone=$(readlink -f /dev/disk/by-id/google-${deviceName}); rm -f /dev/disk/by-id/google-${deviceName} "$gone"`;
    await this.inMachine(container, `[ ! -e /dev/disk/by-id/google-${deviceName} ] || { ${words}; }`);
  }

  async clear(): Promise<void> {
    const { stdout } = await run('losetup', [
      '--list',
      '--noheadings',
      '--raw',
      '--output',
      'NAME,BACK-FILE',
    ]);
    for (const line of stdout.split('\n')) {
      const [device = '', file = ''] = line.split(' ');
      if (file.startsWith(`${this.folder}/`))
        await run('losetup', ['--detach', device]).catch(() => undefined);
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  private async createEmpty(file: string): Promise<void> {
    const handle = await open(file, 'w');
    await handle.close();
  }

  /** Freezes what is mounted from a file, in whichever machine; returns what thaws it. */
  private async freeze(file: string): Promise<() => Promise<void>> {
    const { stdout } = await run('docker', ['ps', '--quiet', '--filter', 'label=gcelab.instance']);
    for (const device of await devicesOf(file)) {
      for (const container of stdout.split('\n').filter((id) => id !== '')) {
        const place = await placeOf(container, device);
        const [mount] = place === null ? [] : mountsOf(place);
        if (place === null || mount === undefined) continue;
        await inNamespace(place.pid, ['fsfreeze', '--freeze', mount]);
        return () => inNamespace(place.pid, ['fsfreeze', '--unfreeze', mount]);
      }
    }
    return async () => {};
  }

  /** A machine that is off finds its disks when it boots: what is not possible now is not needed. */
  private async inMachine(container: string, script: string): Promise<void> {
    const pid = await processOf(container);
    if (pid !== 0) await inNamespace(pid, ['sh', '-c', script]);
  }

  private fileOf(kind: 'disk' | 'snapshot', id: string): string {
    return join(this.folder, `${kind}-${id}.img`);
  }
}

async function copy(from: string, to: string): Promise<void> {
  await run('cp', ['--sparse=always', '--reflink=auto', from, `${to}.new`]);
  await rename(`${to}.new`, to);
}

async function inNamespace(pid: number, command: readonly string[]): Promise<void> {
  await run('nsenter', [`--target=${pid}`, '--mount', ...command]);
}

/** `7 3` */
async function numbersOf(device: string): Promise<string> {
  const { rdev } = await stat(device);
  return `${rdev >> 8} ${rdev & 0xff}`;
}

async function devicesOf(file: string): Promise<string[]> {
  const { stdout } = await run('losetup', [
    '--noheadings',
    '--raw',
    '--output',
    'NAME',
    '--associated',
    file,
  ]);
  return stdout.split('\n').filter((line) => line !== '');
}

async function placeOf(container: string, device: string): Promise<Place | null> {
  const pid = await processOf(container);
  return pid === 0 ? null : { device, pid, numbers: (await numbersOf(device)).replace(' ', ':') };
}

/** Where the device is mounted in the machine. */
function mountsOf({ pid, numbers }: Place): string[] {
  return readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter((fields) => fields[2] === numbers)
    .map((fields) => fields[4] ?? '');
}

/** EXT4_IOC_SHUTDOWN, which is XFS_IOC_GOINGDOWN too, without a flush of the journal: every access fails from then on. */
async function shutDown(pid: number, mount: string): Promise<void> {
  const script =
    'my $how = pack("L", 2); open(my $at, "<", $ARGV[0]) or die $!; ioctl($at, 0x8004587d, $how) or die $!';
  await inNamespace(pid, ['perl', '-e', script, mount]);
}
