import { STACK_DIRECTORY } from './directory';

/**
 * The logins, with the hashes of their passwords, as renderUsersFile makes them: for root alone, mode 0600.
 */
export const USERS_FILE = `${STACK_DIRECTORY}/front/users`;

/** Who gets past the front; null where everybody does. */
export interface LoginRules {
  /** Images are pulled without a login; all else takes one. */
  readonly anonymousPull: boolean;
}

/**
 * What logins add to the front's configuration: whole lines, indented for where they stand. Empty: nothing.
 */
export interface LoginSnippets {
  /** Before the sites. */
  readonly imports: string;
  /** First in each reverse proxy. */
  readonly proxy: string;
  /** In a route, before what answers requests. */
  readonly gate: string;
  /** Last in the site. */
  readonly errors: string;
}

/** USERS_FILE as the front's container sees it. By its whole path: what is loaded comes on standard input. */
const USERS_IMPORT = '/etc/caddy/users';
/** Where a client gets a token. Below /v2/ the registry itself has nothing of one part but the catalog. */
const TOKEN_PATH = '/v2/auth';
/** The token of those without a login. */
const NOBODY = 'anonymous';

const NO_LOGINS: LoginSnippets = { imports: '', proxy: '', gate: '', errors: '' };

/**
 * What logins add to the front's configuration. Names, hashes and roles are in a file of their own, which is
 * imported: they change all at once, and this configuration does not.
 *
 * - It is HTTP's Basic authentication, on every path of every port: one login for page and registry, which a
 *   browser sends to both. A login that may only read is refused other methods than GET, HEAD and OPTIONS, on
 *   the page as well, because hyper's talks to the registry past the front.
 * - The file lists who may write; whoever else is in it may read. What is missing there can only be too
 *   strict.
 * - Caddy computes a hash for each new wrong password, which is what slows guessing down. It remembers the
 *   last 1000 answers, right ones and wrong ones.
 * - Neither registry nor page sees a password.
 */
export function loginSnippets(rules: LoginRules | null): LoginSnippets {
  if (rules === null) return NO_LOGINS;
  return {
    imports: `import ${USERS_IMPORT}\n\n`,
    proxy: '\theader_up -Authorization\n',
    gate: rules.anonymousPull ? gateForTokens() : gate(),
    errors: errors(rules),
  };
}

/** The rules that a configuration was made with; null: it has none. */
export function loginRulesIn(text: string): LoginRules | null {
  if (!text.includes(`\nimport ${USERS_IMPORT}\n`)) return null;
  return { anonymousPull: text.includes(`\thandle ${TOKEN_PATH} {\n`) };
}

/**
 * For names that there are not, Caddy would compute a hash of cost 14, which takes a processor a second:
 * anybody could keep it busy. Such a request gets a header that is no login, rather than none, which may be
 * good enough for it.
 */
function gate(closed = '', matcher = ''): string {
  return `		@stranger {
			header Authorization *
			not {
				import names
			}
		}
		request_header @stranger Authorization unknown
${closed}		basic_auth ${matcher}bcrypt registry {
			import logins
		}
		@denied {
			not method GET HEAD OPTIONS
			not {
				import writers
			}
		}
		error @denied 403
`;
}

/**
 * To pull without a login, and push with one, `GET /v2/` has to answer as Docker Hub and GHCR do: it sends
 * the client for a token. Docker's daemon, go-containerregistry (crane, kaniko) and containers/image (podman,
 * skopeo) ask there first, and do as it says from then on. Where it lets them in, they never send the login
 * that they have. Where it wants Basic authentication, the daemon does not pull without a login (`no basic
 * auth credentials`). Others (containerd, BuildKit, ORAS) do as the answer says that refuses them, which
 * wants Basic authentication.
 *
 * A token is the login itself, in the base64 that Basic authentication has. A client that would rather POST
 * its password for one is told with 404 to GET it.
 *
 * https://github.com/moby/moby/blob/v2.0.0-beta.24/daemon/pkg/registry/auth.go
 * https://distribution.github.io/distribution/spec/auth/token
 * https://distribution.github.io/distribution/spec/auth/oauth
 *
 * Open is what an image consists of, for those who know its name. The catalog is not, as at Docker Hub and
 * GHCR, nor the page, which shows the catalog.
 */
function gateForTokens(): string {
  const closed = `		@closed not {
			method GET HEAD
			path_regexp ^/v2/(auth|.+/(manifests|blobs|referrers)/[^/]+|.+/tags/list)$
			header !Authorization
		}
`;
  return `		@nobody header Authorization "Bearer ${NOBODY}"
		request_header @nobody -Authorization
		request_header Authorization "^Bearer " "Basic "
		@oauth {
			path ${TOKEN_PATH}
			not method GET
		}
		error @oauth 404
${gate(closed, '@closed ')}		@token {
			path ${TOKEN_PATH}
			header_regexp token Authorization "^.{6}(.+)$"
		}
		handle @token {
			header Content-Type application/json
			header Cache-Control no-store
			respond \`{"token":"{re.token.1}","expires_in":300}\`
		}
		handle ${TOKEN_PATH} {
			header Content-Type application/json
			respond \`{"token":"${NOBODY}","expires_in":300}\`
		}
`;
}

function errors({ anonymousPull }: LoginRules): string {
  const unauthorized = apiError('UNAUTHORIZED', 'authentication required', 'no login, or a wrong one');
  const denied = apiError('DENIED', 'requested access to the resource is denied', 'this login may only read');
  return `	handle_errors 401 {
		handle @registry {
${anonymousPull ? tokenChallenge() : ''}			header Content-Type application/json
			header Docker-Distribution-Api-Version registry/2.0
			respond \`${unauthorized}\` 401
		}
		handle {
			respond "A login is needed." 401
		}
	}
	handle_errors 403 {
		handle @registry {
			header Content-Type application/json
			header Docker-Distribution-Api-Version registry/2.0
			respond \`${denied}\` 403
		}
		handle {
			respond "This login may only read." 403
		}
	}
`;
}

/**
 * As the registry has it: https://distribution.github.io/distribution/spec/api/#errors-2
 *
 * Without a detail, Docker would print the code alone.
 */
function apiError(code: string, message: string, detail: string): string {
  return JSON.stringify({ errors: [{ code, message, detail }] });
}

/**
 * With the whole address, as the client knows it: somebody's own proxy with TLS may stand before the front.
 */
function tokenChallenge(): string {
  return `			map {header.X-Forwarded-Proto} {outside} {
				https https
				default {scheme}
			}
			@ping path /v2 /v2/
			header @ping Www-Authenticate \`Bearer realm="{outside}://{hostport}${TOKEN_PATH}",service="{hostport}"\`
`;
}
