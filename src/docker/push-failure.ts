import { lastLine } from '../values/show';

/** Why Docker could not push or pull. */
export type FailureKind =
  /** Worth another try. */
  | 'transient'
  /** The daemon speaks HTTPS to this registry, and the registry does not: `insecure-registries` is missing. */
  | 'https-expected'
  | 'denied'
  | 'no-such-image'
  | 'invalid-name'
  | 'invalid-manifest'
  | 'disk-full'
  | 'rate-limit'
  | 'no-daemon-access'
  | 'unknown';

/**
 * What Docker's command prints, in the order of the checks: a message that cannot be helped by another try comes
 * before the transient words that it may be wrapped in.
 *
 * The words are those of moby (daemon/…, distribution/…), docker/cli, containerd (remotes/docker), distribution
 * (registry/api/errcode, registry/api/v2) and of Go's net and net/http packages.
 */
const patterns: readonly (readonly [RegExp, FailureKind])[] = [
  [/server gave HTTP response to HTTPS client/i, 'https-expected'],
  [
    /x509: |tls: failed to verify certificate|first record does not look like a TLS handshake/i,
    'https-expected',
  ],
  [
    /permission denied while trying to connect to the .*docker|docker\.sock: connect: permission denied/i,
    'no-daemon-access',
  ],
  [/toomanyrequests|too many requests|pull rate limit/i, 'rate-limit'],
  [/no space left on device|disk quota exceeded|insufficient space/i, 'disk-full'],
  [
    /\bdenied\b|unauthorized|authentication required|no basic auth credentials|insufficient_scope|forbidden/i,
    'denied',
  ],
  [
    /invalid reference format|repository name must|invalid tag|NAME_INVALID|name invalid|TAG_INVALID|invalid repository name/i,
    'invalid-name',
  ],
  [
    /MANIFEST_INVALID|manifest invalid|manifest blob unknown|MANIFEST_BLOB_UNKNOWN|UNSUPPORTED|operation is unsupported/i,
    'invalid-manifest',
  ],
  [
    /does not exist locally|no such image|tag does not exist|manifest unknown|MANIFEST_UNKNOWN|manifest for .* not found|NAME_UNKNOWN|repository name not known|repository does not exist|: not found$/im,
    'no-such-image',
  ],
  [
    /connection (?:was )?(?:refused|reset|aborted|timed out)|broken pipe|use of closed network connection|no route to host|network is unreachable/i,
    'transient',
  ],
  [
    /\bEOF\b|i\/o timeout|TLS handshake timeout|Client\.Timeout|context deadline exceeded|deadline exceeded|timed? ?out/i,
    'transient',
  ],
  [
    /(?:status(?: code)?|HTTP status|response from server)[^\n]{0,80}\b5\d\d\b|\b5\d\d (?:Internal Server Error|Bad Gateway|Service Unavailable|Gateway Time-?out)|internal server error|bad gateway|service unavailable|gateway time-?out/i,
    'transient',
  ],
  [
    // A range is invalid where containerd sends a piece again of which a registry that failed had taken a part.
    /blob upload (?:unknown|invalid)|RANGE_INVALID|invalid content range|416 Requested Range Not Satisfiable|BLOB_UPLOAD_(?:UNKNOWN|INVALID)|DIGEST_INVALID|SIZE_INVALID|server misbehaving|temporary failure in name resolution|retrying/i,
    'transient',
  ],
  [
    // Docker's daemon ends, and takes the connection to containerd along: https://grpc.io/docs/guides/status-codes/
    /rpc error: code = (?:Canceled|Unavailable)\b|client connection is closing/i,
    'transient',
  ],
  [
    /cannot connect to the docker daemon|failed to connect to the docker API|error during connect|is the docker daemon running|daemon is shutting down|server is shutting down/i,
    'transient',
  ],
  [
    /unknown: unknown error|received unexpected HTTP status|http2: |stream error|transport (?:is closing|connection broken)|context canceled|unavailable/i,
    'transient',
  ],
];

/** Tells from what `docker push` or `docker pull` printed whether another try makes sense. */
export function classifyFailure(output: string): FailureKind {
  // Docker's own "Retrying in 5 seconds" lines are progress: only what it ended with counts, when it is there.
  const lines = output
    .split('\n')
    .map((line) => withoutNames(line.trim()))
    .filter((line) => line !== '');
  const end = lines.slice(-5).join('\n');
  return firstMatch(end) ?? firstMatch(lines.slice(-50).join('\n')) ?? 'unknown';
}

/** An image may have any name: one called `denied` has not been. What is asked for stands in Docker's messages too. */
function withoutNames(line: string): string {
  return line
    .replace(/^The push refers to repository .*/i, '')
    .replace(/https?:\/\/[^\s"]+/gi, 'URL')
    .replace(/\breference "[^"]*"/gi, 'reference');
}

/** Progress of single layers, and Docker's frame around an answer that held nothing. */
const SAYS_NOTHING =
  /: (?:Retrying in \d+ seconds?|Waiting|Preparing|Pushing|Pushed|Pulling.*|Layer already exists|Already exists|Download complete|Verifying Checksum)\s*$|^(?:Error response from daemon: )?unknown:?\s*$|^The push refers to repository/i;

/** The line that tells most of why a pull or push failed: the last one that says anything; empty where none does. */
export function reasonOf(output: string): string {
  const lines = output.split('\n').map((line) => line.trim());
  return lastLine(lines.filter((line) => !SAYS_NOTHING.test(line)).join('\n'));
}

function firstMatch(text: string): FailureKind | undefined {
  return patterns.find(([pattern]) => pattern.test(text))?.[1];
}
