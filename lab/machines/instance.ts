import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureCertificates } from '../cloud/certificates.ts';
import { cacheFolder } from './checkout.ts';
import { ensureBase, ensureImage } from './images.ts';
import type { Kind } from './kinds.ts';
import { bootMachine, createMachine, removeMachine } from './machine.ts';
import { externalIp } from './network.ts';
import { LabError } from './process.ts';

export const PROJECT = 'lab-project';
export const ZONE = 'europe-west1-b';

/** Number of `registry-N`. Throws for any other name. */
export function instanceNumber(name: string): number {
  const number = Number(/^registry-([1-9]\d{0,2})$/.exec(name)?.[1]);
  if (Number.isInteger(number)) return number;
  throw new LabError(`There is no machine '${name}'; the lab has runner, registry-1, registry-2, …`);
}

export function instanceName(number: number): string {
  return `registry-${number}`;
}

/** The PEM text of the lab's CA. */
export function authority(): string {
  return readFileSync(ensureCertificates(cacheFolder('certificates')).caFile, 'utf8');
}

/** Builds the image of a bare instance unless it is there. */
export async function ensureInstanceImage(kind: Kind): Promise<string> {
  return ensureImage({
    name: `instance-${kind}`,
    folder: join(import.meta.dirname, 'images/instance'),
    base: await ensureBase(kind),
    files: { 'ca.crt': authority() },
  });
}

/** Makes a bare instance with a fresh disk, in place of the one that is there, and boots it. */
export async function recreateInstance(name: string, kind: Kind): Promise<void> {
  const number = instanceNumber(name);
  const image = await ensureInstanceImage(kind);
  const container = `gcelab-${name}`;
  await removeMachine(container);
  await createMachine({
    container,
    hostname: name,
    image,
    ip: externalIp(number),
    hosts: { 'metadata.google.internal': '169.254.169.254', metadata: '169.254.169.254' },
    labels: { 'gcelab.instance': name, 'gcelab.kind': kind },
    volumes: [],
  });
  await bootMachine(container);
}
