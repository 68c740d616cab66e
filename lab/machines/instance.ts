import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureCertificates } from '../cloud/certificates.ts';
import { LAB, prefixOf } from '../number.ts';
import { ensureAptRepository } from '../packages/apt-repository.ts';
import { cacheFolder } from './checkout.ts';
import { control } from './control.ts';
import { ensureBase, ensureImage } from './images.ts';
import { type Kind, kindOf } from './kinds.ts';
import { bootMachine, createMachine, imageOf, listMachines, removeMachine } from './machine.ts';
import { externalIp, internalIp } from './network.ts';
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

/** The PEM text of what the machines trust as they trust the roots of Let's Encrypt. */
export function acmeRoot(): string {
  return readFileSync(ensureCertificates(cacheFolder('certificates')).rootFile, 'utf8');
}

/** Builds the image of a bare instance unless it is there. */
export async function ensureInstanceImage(kind: Kind): Promise<string> {
  return ensureImage({
    name: `instance-${kind}`,
    folder: join(import.meta.dirname, 'images/instance'),
    base: await ensureBase(kind),
    files: { 'ca.crt': authority(), 'acme.crt': acmeRoot() },
  });
}

/** Makes a bare instance with a fresh disk, in place of the one that is there, tells the cloud, and boots it. */
export async function recreateInstance(name: string, kind: Kind): Promise<void> {
  const number = instanceNumber(name);
  const [image] = await Promise.all([ensureInstanceImage(kind), ensureAptRepository(kind)]);
  const container = containerOf(name);
  const [ip, internal] = [externalIp(number), internalIp(number)];
  await removeInstance(name);
  await createMachine({
    container,
    hostname: name,
    image,
    ip,
    hosts: { 'metadata.google.internal': '169.254.169.254', metadata: '169.254.169.254' },
    labels: { 'gcelab.instance': name, 'gcelab.kind': kind },
    volumes: [],
  });
  await control('POST', '/instances', { name, zone: ZONE, ip, internalIp: internal, container, kind });
  await bootMachine(container);
}

/** Whether there is such an instance, made from the present recipe; running or not. */
export async function instanceIsCurrent(name: string, kind: Kind): Promise<boolean> {
  return (await imageOf(containerOf(name))) === (await ensureInstanceImage(kind));
}

/** Removes an instance with its disk; nothing happens when there is none. */
export async function removeInstance(name: string): Promise<void> {
  await removeMachine(containerOf(instanceName(instanceNumber(name))));
  const known = await control<{ name: string }[]>('GET', '/instances');
  if (known.some((instance) => instance.name === name)) await control('DELETE', `/instances/${name}`);
}

/** The instances that have a machine, with their kinds. */
export async function listInstances(): Promise<Map<string, Kind>> {
  const machines = await listMachines('gcelab.kind');
  const instances = [...machines].filter(([, kind]) => kind !== '');
  return new Map(
    instances.map(([container, kind]) => [container.slice(containerOf('').length), kindOf(kind)]),
  );
}

/** The container of `runner`, `registry-1`, … in this lab. */
export function containerOf(name: string): string {
  return `${prefixOf(LAB)}-${name}`;
}
