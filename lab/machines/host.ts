import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { phase } from './phases.ts';
import { attempt, LabError, run } from './process.ts';

/** Programs that the lab runs on the host, with the Debian packages that bring them. */
const PROGRAMS: Readonly<Record<string, string>> = {
  docker: 'docker.io',
  dockerd: 'docker.io',
  iptables: 'iptables',
  ip: 'iproute2',
  mmdebstrap: 'mmdebstrap',
  openssl: 'openssl',
  tar: 'tar',
};
/** Where the kernel has AppArmor, an engine refuses to run containers without the program that loads profiles. */
const APPARMOR = { apparmor_parser: 'apparmor' };
const FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
const POLICY = '/usr/sbin/policy-rc.d';

/** Installs what the host lacks. Throws where that cannot be done. */
export async function ensureHost(): Promise<void> {
  const needed = Object.entries({ ...PROGRAMS, ...(hasAppArmor() ? APPARMOR : {}) });
  const missing = needed.filter(([program]) => !isInstalled(program));
  if (missing.length === 0) return;
  if (!isInstalled('apt-get')) {
    const names = missing.map(([program]) => program).join(', ');
    throw new LabError(
      `This host lacks ${names}, and has no apt-get to install them with: the lab needs Debian.`,
    );
  }
  const packages = [...new Set(missing.map(([, name]) => name))];
  await phase(`installing on this host with apt-get: ${packages.join(', ')}`, () => install(packages));
}

async function install(packages: readonly string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update', '-q'], { env });
  await withoutStarting(() =>
    run('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...packages], { env }).then(() => {}),
  );
}

/** Keeps packages from starting services: the lab starts an engine of its own, which it can stop without a trace. */
async function withoutStarting(work: () => Promise<void>): Promise<void> {
  if (existsSync(POLICY)) return work();
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await work();
  } finally {
    rmSync(POLICY, { force: true });
  }
}

function hasAppArmor(): boolean {
  const file = '/sys/module/apparmor/parameters/enabled';
  return existsSync(file) && readFileSync(file, 'utf8').startsWith('Y');
}

function isInstalled(program: string): boolean {
  return FOLDERS.some((folder) => existsSync(`${folder}/${program}`));
}

/** Whether Go is on the host and at least of this version. */
export async function hasGo(major: number, minor: number): Promise<boolean> {
  const version = await attempt('go', ['env', 'GOVERSION']).catch(() => null);
  const found = /^go(\d+)\.(\d+)/.exec(version?.stdout ?? '');
  if (found === null) return false;
  const [, foundMajor, foundMinor] = found.map(Number);
  return Number(foundMajor) > major || (foundMajor === major && Number(foundMinor) >= minor);
}
