import type { Docker } from '../docker/docker';
import { type PushTag, putTagBackLater } from '../docker/local-tag';
import type { Log } from '../job/log';
import { type DockerPlace, isDockerPlace } from './docker-place';
import type { LeaseRecord, Noted } from './journal';
import { expiryOf, type LeaseTerms } from './lease-terms';
import { hasFields, isDigest, isTime, isWord, orNull, text } from './well-formed';

/**
 * A tag on this runner that was made only for a push. Nobody can tell one of a dead run from one of the user's, and it
 * takes nothing from anybody, so there is no sweep.
 */
export interface LocalTagLease extends LeaseRecord {
  readonly kind: 'local-tag';
  readonly docker: DockerPlace;
  readonly tag: PushTag;
}

/** Is to be told of a tag before it is made, and with null when it is gone again. */
export function noteLocalTag(terms: LeaseTerms): (tag: PushTag | null) => void {
  let noted: Noted<LocalTagLease> | null = null;
  return (tag) => {
    noted?.end();
    noted = null;
    if (tag === null) return;
    noted = terms.journal.note<LocalTagLease>({
      kind: 'local-tag',
      docker: terms.docker,
      tag,
      expires: expiryOf(terms).toISOString(),
    });
  };
}

/** Leaves the tag as it was found. */
export async function releaseLocalTag({ tag }: LocalTagLease, docker: Docker, log: Log): Promise<void> {
  await putTagBackLater(tag, docker);
  log.info(`The local tag ${tag.reference} is as it was before the push`);
}

export function isLocalTagLease(value: unknown): value is LocalTagLease {
  return hasFields(value, {
    kind: text(/^local-tag$/),
    docker: isDockerPlace,
    tag: (tag) => hasFields(tag, { reference: isWord, image: isDigest, before: orNull(isDigest) }),
    expires: isTime,
  });
}

/** The tag where it could not be put back, and how to do it by hand. */
export function describeLocalTag({ tag: { reference, before } }: LocalTagLease): string {
  const command = before === null ? `docker rmi ${reference}` : `docker tag ${before} ${reference}`;
  return `the local tag ${reference} on this runner: \`${command}\``;
}
