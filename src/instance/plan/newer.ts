import { excerpt } from '../../values/show';
import type { Facts } from '../facts/facts';
import type { ContainerFacts } from '../facts/stack';
import type { Service } from '../stack/services';
import type { Desired } from './desired';

/** The images of services whose names stand for another one some day: those without a digest. */
export function movingTags(services: readonly Pick<Service, 'image'>[]): string[] {
  return [...new Set(services.map(({ image }) => image))].filter((image) => !image.includes('@'));
}

/**
 * The digest that the tag of a container's image stands for at its registry, where the container is made from another
 * one; null where it is the same, or nobody knows.
 */
export function newerDigest({ image, imageId }: ContainerFacts, { updates, images }: Facts): string | null {
  const digest = updates?.tags.find((tag) => tag.image === image)?.digest ?? null;
  // With containerd's store an image is known by that digest.
  if (digest === null || imageId === digest) return null;
  const made = images.find(({ id }) => id === imageId);
  return made?.digests.some((each) => each.endsWith(`@${digest}`)) ? null : digest;
}

/** What is shown of a digest. */
export function shortDigest(digest: string): string {
  return digest.slice(0, 'sha256:'.length + 12);
}

/** What could not be looked up, where somebody wants to have the newest. */
export function tagNotes({ update }: Desired, { updates }: Facts): string[] {
  if (!update || updates === null) return [];
  return updates.tags
    .filter(({ digest }) => digest === null)
    .map(
      ({ image, trouble }) => `${image} stays as it is, since it could not be looked up: ${excerpt(trouble)}`,
    );
}
