import { createServer, type Server } from 'node:http';
import type { AcmeAuthority } from './acme/authority.ts';
import { releaseDisks } from './compute/attachments.ts';
import type { Cloud } from './compute/call.ts';
import type { NetworkRef, Registration } from './compute/world.ts';
import { handleFault } from './faults/control.ts';
import { json, type Reply, type Request, readRequest, sendReply, text } from './front/exchange.ts';
import { isUpstreamFault, type UpstreamFaults } from './front/faults.ts';
import type { Log } from './front/log.ts';
import type { Accounts } from './identity/accounts.ts';

/** What the control socket stands on. */
export interface Control {
  readonly cloud: Cloud;
  readonly accounts: Accounts;
  readonly log: Log;
  readonly upstream: UpstreamFaults;
  readonly acme: AcmeAuthority;
}

/**
 * HTTP and JSON on a Unix socket, for `bin/lab` and the tests:
 *
 * - `GET /healthz`
 * - `GET /log?after=N&service=compute|all|…` → LogEntry[]; without a service, the Compute API's
 * - `GET /instances`; `POST /instances` Registration; `DELETE /instances/NAME`;
 *   `PATCH /instances/NAME` {status?, network?: {project, name}, forgetGuestAttributes?: true}
 * - `POST /networks` {project, name}: also a project of its own, as for Shared VPC
 * - `POST /reset`
 * - `GET /acme/orders` → Order[]: what was asked of the certificate authority
 * - `GET /tokens` → string[]: all tokens that were handed out
 * - `POST /tokens` {permissions?, expiresIn? (seconds)} → {accessToken}; no permissions: all
 * - `POST /credentials` {kind, permissions?} → {json}; kind is `service-account`, `authorized-user` or
 *   `external-account`, this one with `file?` (source of the subject token, then in `subjectToken`) and
 *   `impersonate?: false`
 * - `POST /id-token-request` → {url, token}, for ACTIONS_ID_TOKEN_REQUEST_URL and …_TOKEN
 * - `PUT /faults/NAME`, `DELETE /faults/NAME`: see faults/control.ts; those of front/faults.ts take no body
 * - `PUT /settings` {latency? (milliseconds of an operation)}
 */
export function createControl(control: Control): Server {
  return createServer((message, response) => {
    const url = new URL(message.url ?? '/', 'http://lab');
    readRequest(message, url)
      .then((request) => answer(control, request))
      .catch((error: unknown) => text(500, `${String(error)}\n`))
      .then((reply) => sendReply(response, reply));
  });
}

type Body = Readonly<Record<string, unknown>>;

async function answer(control: Control, request: Request): Promise<Reply> {
  const { cloud, accounts, log } = control;
  const body = (request.body.length > 0 ? JSON.parse(request.body.toString('utf8')) : {}) as Body;
  const { pathname, searchParams } = request.url;
  switch (`${request.method} ${pathname}`) {
    case 'GET /healthz':
      return text(200, 'ok\n');
    case 'GET /log':
      return json(
        200,
        log.after(Number(searchParams.get('after') ?? 0), searchParams.get('service') ?? 'compute'),
      );
    case 'GET /instances':
      return json(
        200,
        [...cloud.world.instances.values()].map(({ changed: _, guestAttributes, shape, ...rest }) => ({
          ...rest,
          shape: [...shape],
          guestAttributes: Object.fromEntries(guestAttributes),
        })),
      );
    case 'POST /instances':
      return register(control, body as unknown as Registration);
    case 'POST /networks':
      return json(200, cloud.world.addNetwork(body as unknown as NetworkRef));
    case 'POST /reset':
      return reset(control);
    case 'GET /acme/orders':
      return json(200, control.acme.orders);
    case 'GET /tokens':
      return json(200, accounts.issued());
    case 'POST /tokens':
      return json(200, {
        accessToken: accounts.makeAccessToken(permissionsOf(body), body.expiresIn as number | undefined),
      });
    case 'POST /credentials':
      return credentials(accounts, body);
    case 'POST /id-token-request':
      return json(200, accounts.makeIdTokenRequest());
    case 'PUT /settings':
      return settings(control, body);
  }
  const fault = /^\/faults\/([^/]+)$/.exec(pathname)?.[1];
  if (fault !== undefined && (request.method === 'PUT' || request.method === 'DELETE')) {
    if (isUpstreamFault(fault)) {
      control.upstream.set(fault, request.method === 'PUT');
      return json(200, {});
    }
    return handleFault(cloud, request.method, fault, { ...Object.fromEntries(searchParams), ...body });
  }
  const name = /^\/instances\/([^/]+)$/.exec(pathname)?.[1];
  if (name !== undefined && request.method === 'DELETE') return unregister(control, name);
  if (name !== undefined && request.method === 'PATCH') return amend(control, name, body);
  return text(404, `no request ${request.method} ${pathname}\n`);
}

async function register({ cloud }: Control, registration: Registration): Promise<Reply> {
  const instance = cloud.world.addInstance(registration);
  instance.changed.emit('changed');
  await cloud.enforce([...cloud.world.instances.values()]);
  return json(200, { name: instance.name, id: instance.id });
}

async function unregister({ cloud }: Control, name: string): Promise<Reply> {
  const instance = cloud.world.instances.get(name);
  if (instance !== undefined) await releaseDisks(cloud, instance);
  const existed = cloud.world.instances.delete(name);
  await cloud.enforce([...cloud.world.instances.values()]);
  return existed ? json(200, {}) : text(404, `no instance ${name}\n`);
}

/** Changes what the API that is built here cannot: the status, the network (Shared VPC), what was published. */
async function amend({ cloud }: Control, name: string, body: Body): Promise<Reply> {
  const instance = cloud.world.instances.get(name);
  if (instance === undefined) return text(404, `no instance ${name}\n`);
  if (typeof body.status === 'string') instance.status = body.status;
  if (body.forgetGuestAttributes === true) instance.guestAttributes.clear();
  if (body.network !== undefined) {
    instance.network = body.network as NetworkRef;
    cloud.world.ensureNetwork(instance.network);
    await cloud.enforce([...cloud.world.instances.values()]);
  }
  instance.changed.emit('changed');
  return json(200, { name, status: instance.status, network: instance.network });
}

async function reset({ cloud, acme }: Control): Promise<Reply> {
  await cloud.blocks.clear();
  cloud.world.reset();
  cloud.operations.clear();
  acme.orders.splice(0);
  await cloud.enforce([...cloud.world.instances.values()]);
  return json(200, {});
}

function settings({ cloud }: Control, body: Body): Reply {
  if (typeof body.latency === 'number') cloud.operations.latencyMs = body.latency;
  return json(200, { latency: cloud.operations.latencyMs });
}

function credentials(accounts: Accounts, body: Body): Reply {
  const permissions = permissionsOf(body);
  switch (body.kind) {
    case 'service-account':
      return json(200, { json: accounts.makeServiceAccountKey(permissions) });
    case 'external-account': {
      const options = {
        ...(typeof body.file === 'string' && { file: body.file }),
        ...(typeof body.impersonate === 'boolean' && { impersonate: body.impersonate }),
      };
      return json(200, accounts.makeExternalAccount(permissions, options));
    }
    case 'authorized-user':
      return json(200, { json: accounts.makeAuthorizedUser(permissions) });
    default:
      return text(400, `no kind of credentials ${String(body.kind)}\n`);
  }
}

const permissionsOf = (body: Body): readonly string[] | undefined =>
  body.permissions as readonly string[] | undefined;
