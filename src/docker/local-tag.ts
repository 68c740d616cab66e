import type { Docker } from './docker';

/** A local tag that was made only for a push. */
export interface PushTag {
  readonly reference: string;
  /** Id of the image that it leads to now. */
  readonly image: string;
  /** Id of the image that it led to before; null where there was no such tag. */
  readonly before: string | null;
}

/** Leaves the tag as it was found. */
export async function putTagBack({ reference, before }: PushTag, docker: Docker): Promise<void> {
  // Also where another tag follows: with the tag goes the digest that the push gave to the image.
  await docker.untag(reference);
  if (before !== null) await docker.tag(before, reference);
}

/** The same after a push that was cut off: a tag that leads elsewhere by now is none of ours. */
export async function putTagBackLater(tag: PushTag, docker: Docker): Promise<void> {
  if ((await docker.inspect(tag.reference))?.id === tag.image) await putTagBack(tag, docker);
}
