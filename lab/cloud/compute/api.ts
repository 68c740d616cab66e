import { rateLimited, SIGN_IN_PAGE, unavailable } from '../faults/answers.ts';
import { json, type Reply, type Request } from '../front/exchange.ts';
import type { Principal } from '../identity/principals.ts';
import { ATTACHMENT_ROUTES } from './attachments.ts';
import { handleBatch } from './batch.ts';
import type { Call, Cloud, Route } from './call.ts';
import { DISK_ROUTES } from './disks.ts';
import { ApiError, badPayload, required, unauthenticated } from './errors.ts';
import { FIREWALL_ROUTES } from './firewalls.ts';
import { INSTANCE_ROUTES } from './instances.ts';
import { fieldsOf } from './message-types.ts';
import { OPERATION_ROUTES } from './operation-routes.ts';
import { PROJECT_ROUTES } from './projects.ts';
import { POLICY_ROUTES } from './resource-policies.ts';
import { SNAPSHOT_ROUTES } from './snapshots.ts';
import { checkRequestId } from './values.ts';

const ROUTES: readonly Route[] = [
  ...FIREWALL_ROUTES,
  ...INSTANCE_ROUTES,
  ...ATTACHMENT_ROUTES,
  ...DISK_ROUTES,
  ...SNAPSHOT_ROUTES,
  ...POLICY_ROUTES,
  ...OPERATION_ROUTES,
  ...PROJECT_ROUTES,
];

/** https://cloud.google.com/apis/docs/system-parameters; the last is one of every list, too new for the message types. */
const SYSTEM_PARAMETERS = new Set([
  ...[
    '$alt',
    'alt',
    '$fields',
    'fields',
    '$key',
    'key',
    '$prettyPrint',
    'prettyPrint',
    '$callback',
    'callback',
  ],
  ...[
    '$.xgafv',
    '$userProject',
    'access_token',
    'oauth_token',
    'quotaUser',
    'userIp',
    'uploadType',
    'upload_protocol',
  ],
  'returnPartialSuccess',
]);

/** The principal of a bearer token; null when it is unknown or has expired. */
export type Authenticate = (token: string) => Principal | null;

/**
 * The Compute API, v1, below `/compute/v1/`. Every request passes `dispatch`: what is to happen to requests as such
 * (refusals, delays, resets) belongs there.
 */
export class ComputeApi {
  private readonly cloud: Cloud;
  private readonly authenticate: Authenticate;

  constructor(cloud: Cloud, authenticate: Authenticate) {
    this.cloud = cloud;
    this.authenticate = authenticate;
  }

  handle(request: Request): Promise<Reply> {
    return BATCH.test(request.url.pathname)
      ? handleBatch(request, (part) => this.answer(part))
      : this.answer(request);
  }

  private async answer(request: Request): Promise<Reply> {
    let principal: Principal | null = null;
    try {
      if (this.cloud.faults.take('api-html'))
        return { status: 200, headers: { 'content-type': 'text/html' }, body: SIGN_IN_PAGE };
      principal = this.principalOf(request);
      const reply = json(200, await this.dispatch(request, principal));
      const reset = isMutation(request) && this.cloud.faults.take('api-reset');
      return { ...reply, principal: principal.email, reset };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const headers =
        error.status === 401 ? { 'www-authenticate': 'Bearer realm="https://accounts.google.com/"' } : {};
      return { ...json(error.status, error, headers), ...(principal && { principal: principal.email }) };
    }
  }

  private async dispatch(request: Request, principal: Principal): Promise<object> {
    const { route, params } = match(request);
    checkParameters(route, params, request.url.searchParams);
    if (isMutation(request)) this.refuse();
    const requestId = request.url.searchParams.get('requestId') || null;
    if (requestId !== null) {
      checkRequestId(requestId);
      const started = this.cloud.operations.started(params.project ?? '', requestId);
      if (started !== null) return started;
    }
    const call: Call = {
      ...this.cloud,
      principal,
      params,
      query: request.url.searchParams,
      requestId,
      body: request.body,
    };
    return route.run(call);
  }

  /** Throws what the front end answers while a fault is on. */
  private refuse(): void {
    if (this.cloud.faults.take('api-503')) throw unavailable();
    if (this.cloud.faults.take('api-rate-limit')) throw rateLimited();
  }

  private principalOf(request: Request): Principal {
    const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    const principal = token === undefined ? null : this.authenticate(token);
    if (principal === null) throw unauthenticated(token !== undefined);
    return principal;
  }
}

/** Also waiting for an operation is a POST. */
const isMutation = ({ method, url }: Request): boolean => method !== 'GET' && !url.pathname.endsWith('/wait');

const BATCH = /^\/batch\/compute\/v1$/;
const PREFIX = /^\/compute\/v1\//;

function match(request: Request): { route: Route; params: Record<string, string> } {
  const path = request.url.pathname;
  const segments = path.replace(PREFIX, '').split('/').map(decode);
  for (const route of ROUTES) {
    const params = route.method === request.method ? variables(route.path.split('/'), segments) : null;
    if (params !== null) return { route, params };
  }
  throw new ApiError(404, [{ message: 'Not Found', domain: 'global', reason: 'notFound' }]);
}

/** A segment that is not valid is left as it is: no resource has such a name. */
function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function variables(pattern: readonly string[], segments: readonly string[]): Record<string, string> | null {
  if (pattern.length !== segments.length) return null;
  const params: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index] ?? '';
    if (part.startsWith(':')) params[part.slice(1)] = segment;
    else if (part !== segment) return null;
  }
  return params;
}

function checkParameters(
  route: Route,
  params: Readonly<Record<string, string>>,
  query: URLSearchParams,
): void {
  const known = fieldsOf(route.request);
  const unknown = [...query.keys()].filter(
    (name) =>
      !SYSTEM_PARAMETERS.has(name) &&
      (!known.has(name) || Object.hasOwn(params, name) || name.endsWith('Resource')),
  );
  if (unknown.length > 0) {
    throw badPayload(
      unknown.map(
        (name) =>
          `Invalid JSON payload received. Unknown name ${JSON.stringify(name)}: Cannot bind query parameter. Field '${name}' could not be found in request message.`,
      ),
    );
  }
  if (Object.values(params).some((value) => value === '')) throw required('resource');
}
