import type { Docker, LocalImage } from '../docker/docker';
import { type PushTag, putTagBack } from '../docker/local-tag';
import type { RegistryApi } from '../registry/api';
import { ENDED_EARLY, MISSING, NOT_VALID } from '../registry/http';
import type { ServedManifest } from '../registry/served-content';
import { ActionError, hasCode, messageOf } from '../values/errors';
import {
  familiarName,
  formatReference,
  normalise,
  type PushTarget,
  type Reference,
} from '../values/reference';
import { INCOMPLETE, requireWhole } from './closure';
import { proxyTrouble } from './proxy-trouble';
import { notServed, otherImage, pullFailed, pushFailed } from './push-errors';
import { type PushOutput, readPushOutput } from './push-output';
import { type TransferTools, transfer } from './transfer';
import { DIFFERS, isImage, type Verified, verifyPushed } from './verify';

/** An image as it is in the registry. */
export interface PushedImage {
  /** `host:port/path:tag` */
  readonly reference: string;
  /** As the registry serves it. */
  readonly digest: string;
  /** The digest that the tag led to before; null for none. */
  readonly before: string | null;
}

export interface PushJob {
  readonly image: Reference;
  /** `host:port` of the registry. */
  readonly registry: string;
  readonly targets: readonly PushTarget[];
  readonly verify: boolean;
}

export interface PushTools extends TransferTools {
  readonly api: RegistryApi;
  /** Is given a local tag before it is made for the push, and null when it is gone again. */
  readonly onTag: (tag: PushTag | null) => void;
}

/**
 * Pushes one local image under each of its targets. The digests are those of what this run pushed, as the registry serves
 * it. A target that leads to the very image already, and has all of it, is not pushed again. The image is pulled when it
 * is not there. Tags that are made only for the push are removed again; tags of that name that were there before lead to
 * where they led.
 *
 * @param found what findImage found
 * @throws ActionError
 */
export async function pushImage(
  job: PushJob,
  found: LocalImage | null,
  tools: PushTools,
): Promise<readonly PushedImage[]> {
  const local = found ?? (await pullImage(job.image, tools));
  const verified: Verified = new Set();
  const pushed: PushedImage[] = [];
  for (const target of job.targets) pushed.push(await pushTarget(job, local, target, verified, tools));
  return pushed;
}

/** Looks for the image on this runner; null: it has to be pulled. */
export function findImage(image: Reference, docker: Docker): Promise<LocalImage | null> {
  return docker.inspect(localName(image));
}

/** Docker knows an image that was pulled by digest under that alone, whatever tag stood beside it. */
function localName(image: Reference): string {
  const { domain, path, tag, digest } = normalise(image);
  return familiarName(
    digest === undefined ? { domain, path, ...(tag && { tag }) } : { domain, path, digest },
  );
}

/**
 * Pulls an image that is not on this runner.
 *
 * @throws ActionError `Image not found`, `Image pull failed`
 */
export async function pullImage(image: Reference, tools: TransferTools): Promise<LocalImage> {
  const name = localName(image);
  tools.log.info(`The image ${name} is not on this runner; it is pulled`);
  const result = await transfer('pull', name, tools);
  if (!result.ok) throw pullFailed(name, result);
  const pulled = await tools.docker.inspect(name);
  if (pulled === null) {
    throw new ActionError('Image not found', {
      doing: `looking for the image ${name}`,
      happened: 'Docker pulled it, and has no such image',
      next: 'Look for something that removes images on this runner at the same time',
    });
  }
  return pulled;
}

async function pushTarget(
  job: PushJob,
  local: LocalImage,
  target: PushTarget,
  verified: Verified,
  tools: PushTools,
): Promise<PushedImage> {
  const { path, tag } = target;
  const reference = formatReference({ domain: job.registry, path, tag });
  const before = await servedBefore(target, tools.api);
  if (before !== null && isImage(before, local)) {
    const whole = await isWhole(job, target, before, local, verified, tools);
    if (whole) return { reference, digest: before.digest, before: before.digest };
  }
  const made = await makeTag(reference, local, tools);
  let putting: Promise<void> | null = null;
  try {
    const result = await transfer('push', reference, lookingForProxy(job.registry, tools));
    // Beside what follows, which is between this run and the registry.
    putting = putBack(made, tools);
    if (!result.ok)
      throw (await proxyTrouble(job.registry, tools.docker)) ?? pushFailed(reference, job.registry, result);
    const said = readPushOutput(result.output, tag);
    const served = await servedAfter(job, target, said, local, tools);
    if (job.verify) {
      const pushed = { registry: job.registry, path, tag, before: before?.digest ?? null, served };
      await verifyPushed(tools.api, pushed, { local, partOf: said?.partOf ?? null }, verified, tools.log);
    }
    return { reference, digest: served.digest, before: before?.digest ?? null };
  } finally {
    await (putting ?? putBack(made, tools));
  }
}

/** No further try would help against a proxy that swallows the push. */
function lookingForProxy(registry: string, tools: PushTools): PushTools {
  return {
    ...tools,
    async mend() {
      const trouble = await proxyTrouble(registry, tools.docker);
      if (trouble !== null) throw trouble;
      await tools.mend?.();
    },
  };
}

/** Makes the tag to push; null where it is there already. */
async function makeTag(reference: string, local: LocalImage, tools: PushTools): Promise<PushTag | null> {
  const before = (await tools.docker.inspect(reference))?.id ?? null;
  if (before === local.id) return null;
  const tag = { reference, image: local.id, before };
  tools.onTag(tag);
  await tools.docker.tag(local.id, reference);
  return tag;
}

/** What the tag leads to; a tag that leads to something broken is overwritten like any other. */
async function servedBefore({ path, tag }: PushTarget, api: RegistryApi): Promise<ServedManifest | null> {
  try {
    return await api.manifest(path, tag);
  } catch (error) {
    if (isBroken(error)) return null;
    throw error;
  }
}

/** Whether the registry has all of the image still; what is damaged, or lacks a part, is pushed again. */
async function isWhole(
  job: PushJob,
  { path, tag }: PushTarget,
  served: ServedManifest,
  local: LocalImage,
  verified: Verified,
  { api, log }: PushTools,
): Promise<boolean> {
  const name = `${job.registry}/${path}:${tag}`;
  log.info(`${name} leads to this image already`);
  try {
    const pushed = { registry: job.registry, path, tag, before: served.digest, served };
    if (job.verify) await verifyPushed(api, pushed, { local, partOf: null }, verified, log);
    else await requireWhole(api, path, served);
    return true;
  } catch (error) {
    if (!isBroken(error)) throw error;
    log.warning(`What the registry has of ${name} is damaged, so it is pushed again: ${messageOf(error)}`);
    return false;
  }
}

/** Another push can mend it: content that is gone (a garbage collection took it) or is not what it has to be. */
function isBroken(error: unknown): boolean {
  return [NOT_VALID, ENDED_EARLY, MISSING, INCOMPLETE, DIFFERS].some((code) => hasCode(error, code));
}

/**
 * What this run pushed, as the registry serves it: by the digest that Docker says it pushed, since the tag can lead to
 * somebody else's image a moment later. Where Docker says none, what the tag leads to has to be the local image.
 *
 * @throws ActionError `Pushed image not served`, `Pushed image differs`
 */
async function servedAfter(
  job: PushJob,
  { path, tag }: PushTarget,
  said: PushOutput | null,
  local: LocalImage,
  { api, log }: PushTools,
): Promise<ServedManifest> {
  const name = `${job.registry}/${path}:${tag}`;
  const tagged = await api.manifest(path, tag);
  if (said === null) {
    if (tagged === null) throw notServed(name, 'the registry has no such tag');
    if (!isImage(tagged, local)) throw otherImage(name, tagged, local);
    return tagged;
  }
  if (tagged?.digest === said.digest) return tagged;
  const served = await api.manifest(path, said.digest);
  if (served === null)
    throw notServed(name, `the registry does not have ${said.digest}, which Docker pushed`);
  log.warning(
    `${name} was pushed as ${said.digest}, and leads to ${tagged?.digest ?? 'nothing'} by now: somebody else changed ` +
      'the tag after this run. The outputs name what this run pushed; pull by digest where that matters',
  );
  return served;
}

/** Leaves the tag as it was found. Its failure is not worth the push's success, nor its error. */
async function putBack(tag: PushTag | null, { docker, log, onTag }: PushTools) {
  if (tag === null) return;
  try {
    await putTagBack(tag, docker);
    onTag(null);
  } catch (error) {
    log.warning(`The local tag ${tag.reference} could not be put back as it was: ${String(error)}`);
  }
}
