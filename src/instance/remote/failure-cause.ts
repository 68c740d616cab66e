import type { Action } from '../plan/steps';

/** What stopped a step, where its output tells. */
export type CauseKind =
  | 'disk-full'
  | 'lock-held'
  | 'broken-package'
  | 'no-candidate'
  | 'removal'
  | 'proxy'
  | 'rate-limit'
  | 'wrong-clock'
  | 'bad-signature'
  | 'upstream-down'
  | 'no-way-out';

export interface Cause {
  readonly kind: CauseKind;
  /** The line that tells, or a few of them. */
  readonly line: string;
}

/**
 * What the programs of an instance print, in the order of the checks. The words are those of apt (apt-pkg/…,
 * methods/…), dpkg, sqv and gpgv, curl, moby (distribution/…, registry/…), and Go's net and net/http packages.
 */
const PATTERNS: readonly (readonly [CauseKind, RegExp])[] = [
  ['disk-full', /no space left on device|have enough free space in|disk quota exceeded/i],
  // Our own words.
  ['removal', /^apt would remove /],
  ['lock-held', /could not get lock|lock was locked by/i],
  [
    'proxy',
    /proxyconnect tcp|proxy authentication required|could not resolve proxy|invalid response from proxy/i,
  ],
  ['rate-limit', /toomanyrequests|pull rate limit/i],
  [
    'wrong-clock',
    /certificate (?:has expired|is not yet valid|verify failed)|not valid yet \(invalid for|Release file .* is expired|not live until|is not yet live/i,
  ],
  [
    'bad-signature',
    /signature verification failed|^E: The repository '.*' is not signed|signatures? (?:were|was|couldn't be|could not be) (?:invalid|verified)|\b(?:BADSIG|ERRSIG|NO_PUBKEY|EXPKEYSIG)\b/i,
  ],
  [
    'upstream-down',
    /\b5\d\d\s+(?:internal server error|bad gateway|service (?:temporarily )?unavailable|gateway time-?out)|unexpected HTTP status:? 5\d\d|returned error: 5\d\d/i,
  ],
  [
    'no-way-out',
    /temporary failure (?:in name resolution|resolving)|could not resolve|connection timed out|(?:could not|unable to|failed to) connect to|network is unreachable|no route to host|i\/o timeout|Client\.Timeout|request canceled while waiting for connection|context deadline exceeded|connection refused|no such host|server misbehaving/i,
  ],
];

/** Steps that need something from elsewhere; the others can only lack space. */
const FETCHING: readonly Action['kind'][] = [
  'repair-packages',
  'install-packages',
  'install-engine',
  'remove-packages',
  'install-keyring',
  'check-repository',
  'pull-images',
];

/** What apt ends with when it lacks what `apt-get update` could not fetch, and printed long before. */
const LACKING =
  /unable to locate package|no installation candidate|unable to fetch|failed to fetch|not installable|unmet dependencies/i;

/** The end of the output, where most programs say what went wrong. */
const END_LINES = 15;
/** A certificate or signature whose dates do not fit is to be blamed on a clock that is as wrong as this. */
const WRONG_CLOCK_SECONDS = 3600;

/**
 * Finds why a step failed; null where its output does not tell.
 *
 * @param clockAhead seconds that the instance's clock is ahead of this runner's
 */
export function causeOf(
  kind: Action['kind'] | undefined,
  lines: readonly string[],
  clockAhead: number,
): Cause | null {
  const fetching = kind !== undefined && FETCHING.includes(kind);
  const wrongClock = Math.abs(clockAhead) >= WRONG_CLOCK_SECONDS;
  const patterns = PATTERNS.filter(
    ([cause]) => (fetching || cause === 'disk-full') && (wrongClock || cause !== 'wrong-clock'),
  );
  const end = lines.slice(-END_LINES);
  const found = firstCause(patterns, end) ?? brokenPackage(fetching, lines);
  if (found !== null || !end.some((line) => LACKING.test(line))) return found;
  return firstCause(patterns, lines) ?? firstCause([['no-candidate', NO_CANDIDATE]], end);
}

/** Nothing kept apt from its sources, and they do not have it. */
const NO_CANDIDATE = /unable to locate package|no installation candidate/i;

/** A package that dpkg could not configure, with what its script said before, and what dpkg says of it. */
function brokenPackage(fetching: boolean, lines: readonly string[]): Cause | null {
  if (!fetching) return null;
  const found = lines.flatMap((line, index) =>
    /^dpkg: error processing package \S+ \(--configure\)/.test(line) ? [index] : [],
  );
  const own = found.find((index) => !/dependency problems/.test(lines[index + 1] ?? ''));
  const index = own ?? found[0];
  if (index === undefined) return null;
  return { kind: 'broken-package', line: lines.slice(Math.max(0, index - 1), index + 2).join(' | ') };
}

function firstCause(
  patterns: readonly (readonly [CauseKind, RegExp])[],
  lines: readonly string[],
): Cause | null {
  for (const [kind, pattern] of patterns) {
    const line = lines.findLast((candidate) => pattern.test(candidate));
    if (line !== undefined) return { kind, line };
  }
  return null;
}
