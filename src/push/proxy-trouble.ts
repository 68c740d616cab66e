import type { Docker } from '../docker/docker';
import { proxyFor, withoutCredentials } from '../docker/proxy';
import { classifyFailure } from '../docker/push-failure';
import { CANARY_REPOSITORY } from '../registry/canary';
import { ActionError } from '../values/errors';
import { lastLine, plain } from '../values/show';

/** What Docker says of a registry, not of a proxy, that wants a login. */
const WANTS_LOGIN = /no basic auth credentials|authentication required/i;

/**
 * Whether it is the daemon's proxy that keeps a push from a registry that this run itself reaches: asked once something
 * has failed, since a proxy that lets requests pass is none of our business. Null: it is not.
 *
 * @param registry `host:port`
 */
export async function proxyTrouble(registry: string, docker: Docker): Promise<ActionError | null> {
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(registry) ?? [];
  const settings = await docker.proxies().catch(() => null);
  if (settings === null) return null;
  const proxy = proxyFor(host, Number(port), settings);
  if (proxy === null) return null;
  // A tag that there is not: whoever hears of that has been at the registry.
  const probe = await docker.pull(`${registry}/${CANARY_REPOSITORY}:through-the-proxy`, () => undefined);
  if (probe.ok || classifyFailure(probe.output) === 'no-such-image' || WANTS_LOGIN.test(probe.output))
    return null;
  const exceptions = settings.no === '' ? 'nothing' : plain(settings.no, 300);
  return new ActionError('Proxy between Docker and the registry', {
    doing: `pushing to ${registry}`,
    happened:
      `this runner's Docker daemon goes through the proxy ${plain(withoutCredentials(proxy), 200)}, and does not reach ` +
      `the registry (${lastLine(probe.output)}), while this run reaches it without`,
    next: `Name ${host} in NO_PROXY of the daemon ("no-proxy" under "proxies" in its daemon.json, or Environment= of its service; it has ${exceptions} now) and restart it, or let the proxy pass such requests`,
  });
}
