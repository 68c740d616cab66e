import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureCertificates } from '../cloud/certificates.ts';
import { caddyRepository } from '../hub/images.ts';
import { LAB } from '../number.ts';
import { aptFolder } from '../packages/apt-repository.ts';
import { releasesFolder } from '../packages/compose-release.ts';
import { CHECKOUT, cacheFolder, runFolder } from './checkout.ts';
import { cloudAnswers } from './control.ts';
import { builtProgram, PEBBLE } from './go.ts';
import { hash } from './images.ts';
import { PROJECT, ZONE } from './instance.ts';
import { GATEWAY } from './network.ts';
import { end, eventually, isAlive, LabError, startDetached } from './process.ts';
import { readLab, recordLab } from './state.ts';

const SERVER = join(CHECKOUT, 'lab/cloud/server.ts');
const PROJECT_NUMBER = '123456789012';

/**
 * Starts this lab's cloud on this host, anew when its sources or its configuration have changed, and returns whether
 * it was started: it then knows nothing of any instance.
 */
export async function ensureCloud(hub: string): Promise<boolean> {
  const configuration = JSON.stringify({
    runDir: runFolder(),
    gateway: GATEWAY,
    project: PROJECT,
    projectNumber: PROJECT_NUMBER,
    zone: ZONE,
    certificates: ensureCertificates(cacheFolder('certificates')),
    hub,
    hubAliases: { 'library/caddy': caddyRepository() },
    aptDir: aptFolder(),
    releasesDir: releasesFolder(),
    pebble: builtProgram(PEBBLE),
  });
  const key = hash([configuration, ...sources()]);
  const state = readLab();
  if (isAlive(state?.cloudPid, SERVER) && state?.cloudKey === key && (await cloudAnswers())) return false;
  await stopCloud();
  const file = join(runFolder(), 'cloud.json');
  writeFileSync(file, configuration);
  const logFile = join(runFolder(), 'cloud.log');
  const pid = startDetached(process.execPath, [SERVER, file], logFile);
  recordLab({ cloudPid: pid, cloudKey: key });
  const ready = await eventually(async () => !isAlive(pid, SERVER) || (await cloudAnswers()), 20_000);
  if (ready && isAlive(pid, SERVER)) return true;
  const words = readFileSync(logFile, 'utf8').trim().split('\n').slice(-10).join('\n');
  throw new LabError(`The lab's cloud did not start; the last lines of ${logFile}:\n${words}`);
}

/** Ends a lab's cloud, of whatever checkout. */
export async function stopCloud(lab = LAB): Promise<void> {
  await end(readLab(lab)?.cloudPid, 'lab/cloud/server.ts', 5_000);
}

function sources(): string[] {
  const folder = join(CHECKOUT, 'lab/cloud');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.startsWith('__tests__'))
    .sort()
    .map((path) => readFileSync(join(folder, path), 'utf8'));
}
