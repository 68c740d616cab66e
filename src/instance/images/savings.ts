import type { Retention, RetentionRule } from '../../settings/types';
import { formatBytes } from '../../values/bytes';
import type { Contents } from './contents';
import { planPrune } from './prune-plan';

const DAY_SECONDS = 86_400;

/** Less helps nobody whose disk is full. */
const NOTABLE_BYTES = 1e6;

/** Rules that people begin with, as they are written in a step. */
const USUAL: readonly (readonly [string, Partial<RetentionRule>])[] = [
  ['keep-newest: 10', { newest: 10 }],
  ['keep-newest: 3', { newest: 3 }],
  ['keep-within: 30d', { within: 30 * DAY_SECONDS }],
];

/**
 * Says in a clause what a prune would free: by the rules that there are, or by usual ones where there are none.
 *
 * @param now by the instance's clock, in seconds since 1970
 */
export function savingsText(retention: Retention, contents: Contents, now: number): string {
  const freedBy = (rules: readonly RetentionRule[]) => {
    const { freedBytes, laterBytes } = planPrune({ ...retention, rules }, contents, now);
    return freedBytes + laterBytes;
  };
  if (retention.rules.length > 0)
    return `by the rules of this run \`mode: prune\` would free ${formatBytes(freedBy(retention.rules))}`;
  const savings: (readonly [string, number])[] = [
    ['no rule, so by what cannot be reached any more', freedBy([])],
    ...USUAL.map(
      ([words, rule]) =>
        [words, freedBy([{ repositories: '**', newest: null, within: null, tags: [], ...rule }])] as const,
    ),
  ];
  const least = savings[0]?.[1] ?? 0;
  const useful = savings.filter(
    ([, bytes], index) => bytes >= NOTABLE_BYTES && (index === 0 || bytes > least),
  );
  if (useful.length === 0)
    return 'no usual rule of `mode: prune` would free anything, so the disk is too small';
  return `\`mode: prune\` would free, ${useful.map(([words, bytes]) => `with ${words}, ${formatBytes(bytes)}`).join('; ')}`;
}
