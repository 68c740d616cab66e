import type { RegistrySettings } from '../../settings/types';
import { type AcmeSnippets, acmeSnippets, siteAddresses } from './acme';
import { STACK_DIRECTORY } from './directory';
import { FRONT_LOG_DIRECTORY } from './front-log';
import { type LoginRules, loginSnippets } from './front-logins';

/** What the front, Caddy, is told; in its container it lies in /etc/caddy. */
export const FRONT_FILE = `${STACK_DIRECTORY}/front/Caddyfile`;

/** The address of each UI in the network of the containers. */
const UI_ADDRESSES = { joxit: 'ui:80', hyper: 'ui:8080' };

/**
 * The configuration of the front: `/v2/` is the registry's, all else the page's, on every port.
 *
 * - Its admin endpoint is a socket in its own container: neither the network nor another container reaches it.
 * - Bodies are streamed in both directions. A push may pause for minutes (read_body_idle, write_idle; since Caddy
 *   2.11.5, where each is a minute by default), a head must come within half a minute.
 * - While a container is being replaced, requests are held rather than refused: Docker does not try again what was
 *   refused. Nothing of such a request has been sent yet, so it may be sent late.
 * - The registry makes addresses for the client from Forwarded, or else from X-Forwarded-Proto and Host
 *   (https://github.com/distribution/distribution/blob/v3.1.2/registry/api/v2/urls.go#L42). Where somebody's own proxy
 *   with TLS stands before the instance, what it says has to come through; a client that lies there fools itself alone.
 * - A prune holds pushes for a moment: what would change something, or asks whether it is there. While there is a file `held` in
 *   the memory of the container, they wait for a socket that is not there, and Caddy tries again until it is; no reload, with
 *   which it would give up what waits (scripts/prune.sh).
 * - In its container it listens on the port that the instance publishes: rules of the instance's own firewall, which see
 *   the one or the other, name one number.
 * - Who connects to an address names no host, and Caddy would look for a certificate of the container's address: all get
 *   the one there is. A browser that comes with plain HTTP, as before there was TLS, is led on.
 *
 * @param serverName null: it speaks plain HTTP
 * @param logins null: everybody may do everything
 */
export function frontConfig(
  { ui, port, uiPort, tls }: Pick<RegistrySettings, 'ui' | 'port' | 'uiPort' | 'tls'>,
  serverName: string | null,
  logins: LoginRules | null,
): string {
  const { imports, proxy, gate, errors } = loginSnippets(logins);
  // That of the registry first: frontTold knows it by that.
  const ports = ui === 'none' ? [port] : [...new Set([port, uiPort])];
  const acme = tls.kind === 'acme' && serverName !== null ? acmeSnippets(tls, serverName) : null;
  return `# Written by gce-registry-action, which replaces it: do not edit.
{
	admin unix//run/front/admin.sock
	persist_config off
${acme?.options ?? '	auto_https off\n'}${serverName === null ? '' : `	default_sni ${serverName}\n	fallback_sni ${serverName}\n`}${servers('', '')}${serverName === null ? '' : ports.map((each) => servers(`:${each} `, LISTENERS)).join('')}}

${imports}(behind) {
${proxy}	lb_try_duration 10s
	lb_try_interval 250ms
	transport http {
		dial_timeout 3s
		compression off
	}
}

http://127.0.0.1:8079 {
	bind 127.0.0.1
	respond "well"
}

http:// {
	bind unix//run/front/pushes.sock
	reverse_proxy registry:5000 {
		import behind
	}
}

${acme?.challenges ?? ''}${siteOf(ports, serverName, acme)}	@registry path /v2 /v2/*
${NOTED}${gated(gate, answersOf(ui))}	handle_errors 5xx {
		handle @registry {
			header Content-Type application/json
			respond \`{"errors":[{"code":"UNAVAILABLE","message":"unavailable: the registry does not answer"}]}\` 502
		}
		handle {
			respond "The page does not answer." 502
		}
	}
${errors}}
`;
}

/** Answers behind a gate: in a route, where the order of lines is what counts. */
function gated(gate: string, answers: string): string {
  return `\troute {\n${gate}${`${HELD}${answers}`.replace(/^(?=.)/gm, '\t')}\t}\n`;
}

const HELD = `	@held {
		path /v2/*
		not method GET PATCH OPTIONS
		not {
			method HEAD
			not path_regexp /(blobs|manifests)/sha256:
		}
		file {
			root /run/front
			try_files /held
		}
	}
	handle @held {
		reverse_proxy unix//run/front/gate.sock {
			lb_try_duration 1h
			lb_try_interval 20ms
			transport http {
				keepalive off
				compression off
			}
		}
	}
`;

/**
 * Of what pushes and pulls ask for, what a prune has to know: a client that has asked whether a layer is there does not send
 * it again. The page shows what there is and uses none of it.
 */
const NOTED = `	@unnoted {
		not {
			method HEAD
			path_regexp ^/v2/.+/(blobs|manifests)/
		}
		not {
			method GET
			path_regexp ^/v2/.+/manifests/
		}
		not {
			method POST
			query mount=*
		}
	}
	log_skip @unnoted
	@page header User-Agent Mozilla/*
	log_skip @page
	log {
		output file ${FRONT_LOG_DIRECTORY}/asked.log {
			mode 0600
			roll_size 8MiB
			roll_uncompressed
			roll_keep 8
			roll_keep_for 24h
		}
		format filter {
			wrap json
			fields {
				request>headers delete
				request>remote_ip delete
				request>client_ip delete
				user_id delete
			}
		}
	}
`;

function answersOf(ui: RegistrySettings['ui']): string {
  return `\thandle @registry {
		reverse_proxy registry:5000 {
			import behind
		}
	}
	handle {
${pageOf(ui)}
	}
`;
}

/** What holds for the servers at an address; empty: for all others. */
function servers(address: string, listeners: string): string {
  return `	servers ${address}{
		protocols h1 h2${listeners}
		max_header_size 32KB
		trusted_proxies static 0.0.0.0/0 ::/0
		timeouts {
			read_header 30s
			read_body_idle 10m
			write_idle 10m
			idle 5m
		}
	}
`;
}

/** The beginning of the site: where it is, and what it shows. */
function siteOf(ports: readonly number[], serverName: string | null, acme: AcmeSnippets | null): string {
  if (acme !== null && serverName !== null) return `${siteAddresses(serverName, ports)} {\n${acme.tls}`;
  const tls = serverName === null ? '' : '	tls /etc/caddy/tls/server.pem /etc/caddy/tls/server.pem\n';
  return `${ports.map((each) => `:${each}`).join(', ')} {\n${tls}`;
}

/** The one before `tls` sees what is no TLS. */
const LISTENERS = `
		listener_wrappers {
			http_redirect
			tls
		}`;

function pageOf(ui: RegistrySettings['ui']): string {
  if (ui === 'none') return '\t\trespond 404';
  return `\t\treverse_proxy ${UI_ADDRESSES[ui]} {\n\t\t\timport behind\n\t\t}`;
}
