import { rulesQuotaExceeded } from '../faults/answers.ts';
import { type Call, demand, param, type Route, readBody } from './call.ts';
import { alreadyExists, invalidField, type Needed, notFound, notReady } from './errors.ts';
import { checkFirewall } from './firewall-check.ts';
import { type JsonObject, mergePatch } from './merge-patch.ts';
import type { Operation } from './operations.ts';
import { listBody, page, repeatedPage } from './paging.ts';
import { projectOf } from './projects.ts';
import { globalUrl, nameInMessages, projectUrl } from './urls.ts';
import type { Firewall, Instance, NetworkRef, Project, World } from './world.ts';

/** firewalls of https://cloud.google.com/compute/docs/reference/rest/v1/firewalls */
export const FIREWALL_ROUTES: readonly Route[] = [
  { method: 'GET', path: 'projects/:project/global/firewalls', request: 'ListFirewallsRequest', run: list },
  {
    method: 'POST',
    path: 'projects/:project/global/firewalls',
    request: 'InsertFirewallRequest',
    run: insert,
  },
  {
    method: 'GET',
    path: 'projects/:project/global/firewalls/:firewall',
    request: 'GetFirewallRequest',
    run: get,
  },
  {
    method: 'PATCH',
    path: 'projects/:project/global/firewalls/:firewall',
    request: 'PatchFirewallRequest',
    run: patch,
  },
  {
    method: 'PUT',
    path: 'projects/:project/global/firewalls/:firewall',
    request: 'UpdateFirewallRequest',
    run: update,
  },
  {
    method: 'DELETE',
    path: 'projects/:project/global/firewalls/:firewall',
    request: 'DeleteFirewallRequest',
    run: remove,
  },
];

function list(call: Call): object {
  const id = param(call, 'project');
  demand(call, { permission: 'compute.firewalls.list', resource: `projects/${id}` });
  const project = projectOf(call, id);
  const resources = [...project.firewalls.values()].map((rule) => render(project, rule));
  const collection = `projects/${id}/global/firewalls`;
  const found = call.faults.isOn('page-token-repeats')
    ? repeatedPage(resources)
    : page(resources, call.query);
  return listBody('compute#firewallList', collection, projectUrl(id, 'global/firewalls'), found);
}

function get(call: Call): object {
  const { project, link } = address(call);
  demand(call, { permission: 'compute.firewalls.get', resource: nameInMessages(link) });
  return render(projectOf(call, project), existing(call));
}

function insert(call: Call): Operation {
  const id = param(call, 'project');
  const body = readBody(call, 'Firewall');
  const name = typeof body.name === 'string' ? body.name : '';
  const link = globalUrl(id, 'firewalls', name);
  demand(call, { permission: 'compute.firewalls.create', resource: nameInMessages(link) });
  const project = projectOf(call, id);
  const rule = checkFirewall(body, id);
  demand(call, updatePolicy(rule.network));
  if (!project.networks.has(rule.network.name)) throw notFound(nameInMessages(networkUrl(rule.network)));
  if (project.firewalls.has(name) || project.busyFirewalls.has(name))
    throw alreadyExists(nameInMessages(link));
  if (call.faults.isOn('rules-quota')) throw rulesQuotaExceeded(project.firewalls.size);
  return change(call, { type: 'insert', project, rule, link }, () => {
    project.firewalls.set(name, rule);
  });
}

function patch(call: Call): Operation {
  const body = readBody(call, 'Firewall');
  return replace(call, 'patch', (present, project) => mergePatch(render(project, present), body));
}

function update(call: Call): Operation {
  const body = readBody(call, 'Firewall');
  return replace(call, 'update', (present) => ({ ...body, name: body.name ?? present.name }));
}

/** `wanted` gets the rule as it is, and returns the message that the whole rule is to be. */
function replace(
  call: Call,
  type: 'patch' | 'update',
  wanted: (present: Firewall, project: Project) => JsonObject,
): Operation {
  const { project: id, name, link } = address(call);
  demand(call, { permission: 'compute.firewalls.update', resource: nameInMessages(link) });
  const present = existing(call);
  demand(call, updatePolicy(present.network));
  const project = projectOf(call, id);
  const make = (current: Firewall): Firewall => {
    const rule = checkFirewall(wanted(current, project), id);
    checkImmutable(current, rule);
    return { ...rule, id: current.id, creationTimestamp: current.creationTimestamp };
  };
  const rule = make(present);
  return change(call, { type, project, rule, link }, () => {
    project.firewalls.set(name, make(project.firewalls.get(name) ?? present));
  });
}

function remove(call: Call): Operation {
  const { project: id, name, link } = address(call);
  demand(call, { permission: 'compute.firewalls.delete', resource: nameInMessages(link) });
  const rule = existing(call);
  demand(call, updatePolicy(rule.network));
  const project = projectOf(call, id);
  return change(call, { type: 'delete', project, rule, link }, () => {
    project.firewalls.delete(name);
  });
}

interface Change {
  readonly type: string;
  readonly project: Project;
  readonly rule: Firewall;
  readonly link: string;
}

/** Starts the operation; while it runs nothing else may be done to the rule. */
function change(call: Call, { type, project, rule, link }: Change, act: () => void): Operation {
  const { busyFirewalls } = project;
  if (busyFirewalls.has(rule.name)) throw notReady(nameInMessages(link));
  busyFirewalls.add(rule.name);
  return call.operations.start({
    project: project.id,
    zone: null,
    type,
    target: { link, id: rule.id },
    user: call.principal.email,
    requestId: call.requestId,
    work: async () => {
      act();
      await call.enforce(instancesOf(call.world, rule.network));
    },
    settle: () => busyFirewalls.delete(rule.name),
  });
}

/** Instances with a network interface in this network. */
export function instancesOf(world: World, network: NetworkRef): Instance[] {
  return [...world.instances.values()].filter(
    (instance) => instance.network.project === network.project && instance.network.name === network.name,
  );
}

function address(call: Call): { project: string; name: string; link: string } {
  const project = param(call, 'project');
  const name = param(call, 'firewall');
  return { project, name, link: globalUrl(project, 'firewalls', name) };
}

function existing(call: Call): Firewall {
  const { project, name, link } = address(call);
  const rule = projectOf(call, project).firewalls.get(name);
  if (rule === undefined) throw notFound(nameInMessages(link));
  return rule;
}

function checkImmutable(present: Firewall, wanted: Firewall): void {
  if (wanted.name !== present.name)
    throw invalidField('resource.name', wanted.name, 'Name cannot be changed.');
  if (wanted.network.name !== present.network.name) {
    throw invalidField('resource.network', networkUrl(wanted.network), 'Network cannot be changed.');
  }
  if (wanted.direction !== present.direction) {
    throw invalidField('resource.direction', wanted.direction, 'Direction cannot be changed.');
  }
}

/** Changing a rule needs this on its network: https://cloud.google.com/firewall/docs/firewalls#iam */
const updatePolicy = (network: NetworkRef): Needed => ({
  permission: 'compute.networks.updatePolicy',
  resource: nameInMessages(networkUrl(network)),
});

const networkUrl = (network: NetworkRef): string => globalUrl(network.project, 'networks', network.name);

/** The rule as the API shows it: empty lists are left out. */
function render(project: Project, rule: Firewall): JsonObject {
  const lists = Object.entries({
    sourceRanges: rule.sourceRanges,
    destinationRanges: rule.destinationRanges,
    sourceTags: rule.sourceTags,
    targetTags: rule.targetTags,
    sourceServiceAccounts: rule.sourceServiceAccounts,
    targetServiceAccounts: rule.targetServiceAccounts,
    allowed: rule.allowed,
    denied: rule.denied,
  }).filter(([, items]) => items.length > 0);
  return {
    kind: 'compute#firewall',
    id: rule.id,
    creationTimestamp: rule.creationTimestamp,
    name: rule.name,
    description: rule.description,
    network: networkUrl(rule.network),
    priority: rule.priority,
    ...Object.fromEntries(lists),
    direction: rule.direction,
    logConfig: rule.logConfig,
    disabled: rule.disabled,
    selfLink: globalUrl(project.id, 'firewalls', rule.name),
  };
}
