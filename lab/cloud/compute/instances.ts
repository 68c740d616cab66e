import { has } from '../identity/principals.ts';
import { type Call, demand, param, type Route, readBody } from './call.ts';
import { fingerprintMismatch, invalidField, notFound, serviceAccountDenied } from './errors.ts';
import { fingerprint, isBase64, isSameFingerprint } from './fingerprint.ts';
import { checkMetadata, checkTags } from './instance-check.ts';
import { renderInstance } from './instance-view.ts';
import type { JsonObject } from './merge-patch.ts';
import type { Operation } from './operations.ts';
import { listBody, page } from './paging.ts';
import { checkZone, projectOf } from './projects.ts';
import { nameInMessages, projectUrl, zoneUrl } from './urls.ts';
import type { Instance } from './world.ts';

const INSTANCES = 'projects/:project/zones/:zone/instances';

/** instances of https://cloud.google.com/compute/docs/reference/rest/v1/instances */
export const INSTANCE_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: 'projects/:project/aggregated/instances',
    request: 'AggregatedListInstancesRequest',
    run: aggregatedList,
  },
  { method: 'GET', path: INSTANCES, request: 'ListInstancesRequest', run: list },
  { method: 'GET', path: `${INSTANCES}/:instance`, request: 'GetInstanceRequest', run: get },
  { method: 'POST', path: `${INSTANCES}/:instance/setTags`, request: 'SetTagsInstanceRequest', run: setTags },
  {
    method: 'POST',
    path: `${INSTANCES}/:instance/setMetadata`,
    request: 'SetMetadataInstanceRequest',
    run: setMetadata,
  },
  {
    method: 'GET',
    path: `${INSTANCES}/:instance/getGuestAttributes`,
    request: 'GetGuestAttributesInstanceRequest',
    run: getGuestAttributes,
  },
];

function aggregatedList(call: Call): object {
  const project = param(call, 'project');
  demand(call, { permission: 'compute.instances.list', resource: `projects/${project}` });
  projectOf(call, project);
  const { items, nextPageToken } = page(
    instancesIn(call, project, null).map((each) => renderInstance(call.world, each)),
    call.query,
  );
  const scopes = call.world.zones.map((zone) => {
    const url = projectUrl(project, `zones/${zone}`);
    const instances = items.filter((item) => item.zone === url);
    return [`zones/${zone}`, instances.length > 0 ? { instances } : { warning: noResults(zone) }];
  });
  return {
    kind: 'compute#instanceAggregatedList',
    id: `projects/${project}/aggregated/instances`,
    items: Object.fromEntries(scopes),
    ...(nextPageToken !== undefined && { nextPageToken }),
    selfLink: projectUrl(project, 'aggregated/instances'),
  };
}

function noResults(zone: string): JsonObject {
  return {
    code: 'NO_RESULTS_ON_PAGE',
    message: `There are no results for scope 'zones/${zone}' on this page.`,
    data: [{ key: 'scope', value: `zones/${zone}` }],
  };
}

function list(call: Call): object {
  const project = param(call, 'project');
  const zone = param(call, 'zone');
  demand(call, { permission: 'compute.instances.list', resource: `projects/${project}` });
  projectOf(call, project);
  checkZone(call, project, zone);
  const resources = instancesIn(call, project, zone).map((each) => renderInstance(call.world, each));
  const collection = `projects/${project}/zones/${zone}/instances`;
  return listBody(
    'compute#instanceList',
    collection,
    projectUrl(project, `zones/${zone}/instances`),
    page(resources, call.query),
  );
}

function get(call: Call): object {
  demand(call, { permission: 'compute.instances.get', resource: nameInMessages(linkOf(call)) });
  return renderInstance(call.world, existing(call));
}

function setTags(call: Call): Operation {
  demand(call, { permission: 'compute.instances.setTags', resource: nameInMessages(linkOf(call)) });
  const body = readBody(call, 'Tags');
  const instance = existing(call);
  const tags = checkTags(body, instance.name);
  return change(call, instance, 'setTags', body, 'tags', async () => {
    instance.tags = tags;
    instance.changed.emit('changed');
    await call.enforce([...call.world.instances.values()]);
  });
}

function setMetadata(call: Call): Operation {
  demand(call, { permission: 'compute.instances.setMetadata', resource: nameInMessages(linkOf(call)) });
  const body = readBody(call, 'Metadata');
  const instance = existing(call);
  if (!has(call.principal, 'iam.serviceAccounts.actAs')) {
    throw serviceAccountDenied(instance.serviceAccount, call.principal.email);
  }
  const metadata = checkMetadata(body);
  return change(call, instance, 'setMetadata', body, 'metadata', () => {
    showLater(instance, metadata, call.faults.milliseconds('key-lag'));
    instance.metadata = metadata;
    instance.changed.emit('changed');
  });
}

/** Lets the metadata server go on showing what there is now, for a while. */
function showLater(instance: Instance, next: Instance['metadata'], lagMs: number): void {
  if (lagMs === 0) return;
  instance.shown ??= instance.metadata;
  setTimeout(() => {
    // Null: the fault was ended meanwhile.
    if (instance.shown === null) return;
    instance.shown = next === instance.metadata ? null : next;
    instance.changed.emit('changed');
  }, lagMs).unref();
}

/**
 * Starts the operation. The fingerprint is checked twice: at once, and again when the operation acts, since another
 * one may have been faster.
 */
function change(
  call: Call,
  instance: Instance,
  type: string,
  body: JsonObject,
  subject: 'tags' | 'metadata',
  act: () => Promise<void> | void,
): Operation {
  const given = body.fingerprint;
  const check = (): void => {
    if (!isSameFingerprint(given, fingerprint(instance[subject]))) throw fingerprintMismatch(subject);
  };
  if (typeof given === 'string' && !isBase64(given)) {
    throw invalidField('fingerprint', given, 'Base64 decoding failed.');
  }
  check();
  const conflict = call.faults.takeConflict();
  if (conflict === 'at once') throw fingerprintMismatch(subject);
  return call.operations.start({
    project: instance.project,
    zone: instance.zone,
    type,
    target: { link: linkOf(call), id: instance.id },
    user: call.principal.email,
    requestId: call.requestId,
    work: async () => {
      check();
      if (conflict !== null) throw fingerprintMismatch(subject);
      await act();
    },
  });
}

/** 404 where there is nothing below the path: the text is what gcloud's own code looks for. */
function getGuestAttributes(call: Call): object {
  const link = linkOf(call);
  demand(call, { permission: 'compute.instances.getGuestAttributes', resource: nameInMessages(link) });
  const instance = existing(call);
  const queryPath = call.query.get('queryPath') ?? '';
  const variableKey = call.query.get('variableKey');
  const [namespace = '', key = ''] = (variableKey ?? queryPath).split('/');
  const items = [...instance.guestAttributes]
    .map(([path, value]) => ({ namespace: path.split('/')[0] ?? '', key: path.split('/')[1] ?? '', value }))
    .filter((item) => (namespace === '' || item.namespace === namespace) && (key === '' || item.key === key))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  if (items.length === 0) throw notFoundAttribute(variableKey ?? queryPath);
  return {
    kind: 'compute#guestAttributes',
    ...(variableKey === null ? { queryPath } : { variableKey, variableValue: items[0]?.value }),
    queryValue: { items },
    selfLink: `${link}/getGuestAttributes`,
  };
}

function notFoundAttribute(path: string): Error {
  const error = notFound(path);
  error.message = `The resource '${path}' of type 'Guest Attribute' was not found.`;
  return error;
}

const instancesIn = (call: Call, project: string, zone: string | null): Instance[] =>
  [...call.world.instances.values()].filter(
    (instance) => instance.project === project && (zone === null || instance.zone === zone),
  );

/** The instance of the path. Throws the 404 of what does not exist. */
export function existing(call: Call): Instance {
  const project = param(call, 'project');
  const zone = param(call, 'zone');
  projectOf(call, project);
  checkZone(call, project, zone);
  const instance = call.world.instances.get(param(call, 'instance'));
  if (instance === undefined || instance.project !== project || instance.zone !== zone) {
    throw notFound(nameInMessages(linkOf(call)));
  }
  return instance;
}

/** Its address. */
export const linkOf = (call: Call): string =>
  zoneUrl(param(call, 'project'), param(call, 'zone'), 'instances', param(call, 'instance'));
