import { type Call, demand, param, type Route } from './call.ts';
import { notFound } from './errors.ts';
import type { Operation } from './operations.ts';
import { listBody, page } from './paging.ts';
import { checkZone, projectOf } from './projects.ts';
import { projectUrl } from './urls.ts';

const GLOBAL = 'projects/:project/global/operations';
const ZONE = 'projects/:project/zones/:zone/operations';

/** globalOperations and zoneOperations. */
export const OPERATION_ROUTES: readonly Route[] = [
  { method: 'GET', path: GLOBAL, request: 'ListGlobalOperationsRequest', run: list },
  { method: 'GET', path: `${GLOBAL}/:operation`, request: 'GetGlobalOperationRequest', run: get },
  { method: 'POST', path: `${GLOBAL}/:operation/wait`, request: 'WaitGlobalOperationRequest', run: wait },
  { method: 'GET', path: ZONE, request: 'ListZoneOperationsRequest', run: list },
  { method: 'GET', path: `${ZONE}/:operation`, request: 'GetZoneOperationRequest', run: get },
  { method: 'POST', path: `${ZONE}/:operation/wait`, request: 'WaitZoneOperationRequest', run: wait },
];

function list(call: Call): object {
  const { project, zone, scope, service } = scopeOf(call);
  demand(call, { permission: `compute.${service}.list`, resource: `projects/${project}` });
  const operations = call.operations.list(project, zone).map((operation) => ({ ...operation }));
  const collection = `projects/${project}/${scope}/operations`;
  return listBody(
    'compute#operationList',
    collection,
    projectUrl(project, `${scope}/operations`),
    page(operations, call.query),
  );
}

function get(call: Call): Operation {
  const { project, zone, name, resource } = permitted(call);
  return call.operations.get(project, zone, name) ?? missing(resource);
}

async function wait(call: Call): Promise<Operation> {
  const { project, zone, name, resource } = permitted(call);
  return (await call.operations.wait(project, zone, name)) ?? missing(resource);
}

function permitted(call: Call): { project: string; zone: string | null; name: string; resource: string } {
  const { project, zone, scope, service } = scopeOf(call);
  const name = param(call, 'operation');
  const resource = `projects/${project}/${scope}/operations/${name}`;
  demand(call, { permission: `compute.${service}.get`, resource });
  projectOf(call, project);
  return { project, zone, name, resource };
}

function scopeOf(call: Call): { project: string; zone: string | null; scope: string; service: string } {
  const project = param(call, 'project');
  const zone = call.params.zone ?? null;
  if (zone === null) return { project, zone, scope: 'global', service: 'globalOperations' };
  checkZone(call, project, zone);
  return { project, zone, scope: `zones/${zone}`, service: 'zoneOperations' };
}

function missing(resource: string): never {
  throw notFound(resource);
}
