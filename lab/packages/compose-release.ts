import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { arch, tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '../machines/checkout.ts';
import { alone } from '../machines/lock.ts';
import { phase } from '../machines/phases.ts';
import { run } from '../machines/process.ts';
import { ensurePackages } from './apt-repository.ts';

/** The release that action.yml has as the default of `compose-version`. */
const VERSION = 'v2.40.3';
const MACHINES: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };

/** Document root of github.com. */
export function releasesFolder(): string {
  return cacheFolder('github.com');
}

/**
 * Makes the Compose release for this host's architecture unless it is there: the program of Debian's package of this very
 * version under the release's names. Both checksum files have the form of the release's own: `HASH *FILE` (github.com/docker/compose,
 * .github/workflows/ci.yml, "Create checksums").
 */
export async function ensureComposeRelease(): Promise<void> {
  const folder = cacheFolder(`github.com/docker/compose/releases/download/${VERSION}`);
  const isMade = () => existsSync(join(folder, 'checksums.txt'));
  if (isMade()) return;
  await alone(async () => {
    if (!isMade()) await makeRelease(folder);
  });
}

async function makeRelease(folder: string): Promise<void> {
  const packages = await ensurePackages('forky');
  await phase(
    `Compose ${VERSION}: Debian's docker-compose of that version, under the release's name`,
    async () => {
      const name = `docker-compose-linux-${MACHINES[arch()]}`;
      const work = join(tmpdir(), `gcelab-compose-${process.pid}`);
      const file = readdirSync(packages).find((entry) => entry.startsWith('docker-compose_')) ?? '';
      await run('dpkg-deb', ['-x', join(packages, file), work]);
      copyFileSync(join(work, 'usr/libexec/docker/cli-plugins/docker-compose'), join(folder, name));
      rmSync(work, { recursive: true });
      const sum = createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex');
      writeFileSync(join(folder, `${name}.sha256`), `${sum} *${name}\n`);
      writeFileSync(join(folder, 'checksums.txt'), `${sum} *${name}\n`);
    },
  );
}
