import { lentMarkOf } from '../values/names';

/*
 * A health check needs the network tag for its opening to have an effect. Where the instance lacks it, that is drift,
 * which a check reports and does not mend: the tag is lent, and goes again with the check. What tells a lent tag is a
 * second tag beside it, its mark, so that both change in one request: Google refuses the change of tags that somebody
 * else has changed meanwhile. A run that wants the tag for good takes the mark away, and whoever lent the tag then finds
 * no mark, and leaves it.
 */

/** Whether the tag is there, and not only lent. */
export function hasForGood(tags: readonly string[], tag: string): boolean {
  return tags.includes(tag) && !tags.includes(lentMarkOf(tag));
}

/** The tags of an instance that is to have `tag` for good. */
export function keepTag(tags: readonly string[], tag: string): readonly string[] {
  if (hasForGood(tags, tag)) return tags;
  const others = tags.filter((other) => other !== lentMarkOf(tag));
  return others.includes(tag) ? others : [...others, tag];
}

/** The tags of an instance that gets `tag` for a while, if it does not have it for good. */
export function lendTag(tags: readonly string[], tag: string): readonly string[] {
  return hasForGood(tags, tag) ? tags : [...new Set([...tags, tag, lentMarkOf(tag)])];
}

/** The tags without one, lent or not. */
export function dropTag(tags: readonly string[], tag: string): readonly string[] {
  return tags.filter((other) => other !== tag && other !== lentMarkOf(tag));
}

/** The tags without one that was lent; the same where somebody has it for good by now. */
export function takeLentTagAway(tags: readonly string[], tag: string): readonly string[] {
  const mark = lentMarkOf(tag);
  return tags.includes(mark) ? dropTag(tags, tag) : tags;
}
