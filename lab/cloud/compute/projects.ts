import { type Call, demand, param, type Route } from './call.ts';
import { notFound } from './errors.ts';
import { fingerprint } from './fingerprint.ts';
import { listBody, page } from './paging.ts';
import { regionOf } from './storage.ts';
import { globalUrl, projectUrl } from './urls.ts';
import type { Network, Project } from './world.ts';

/** projects, networks, zones and regions, which are only read here. */
export const PROJECT_ROUTES: readonly Route[] = [
  { method: 'GET', path: 'projects/:project', request: 'GetProjectRequest', run: getProject },
  {
    method: 'GET',
    path: 'projects/:project/global/networks',
    request: 'ListNetworksRequest',
    run: listNetworks,
  },
  {
    method: 'GET',
    path: 'projects/:project/global/networks/:network',
    request: 'GetNetworkRequest',
    run: getNetwork,
  },
  { method: 'GET', path: 'projects/:project/zones', request: 'ListZonesRequest', run: listZones },
  { method: 'GET', path: 'projects/:project/zones/:zone', request: 'GetZoneRequest', run: getZone },
  { method: 'GET', path: 'projects/:project/regions', request: 'ListRegionsRequest', run: listRegions },
];

/** Throws the 404 of a project that does not exist. */
export function projectOf(call: Call, id: string): Project {
  const project = call.world.projects.get(id);
  if (project === undefined) throw notFound(`projects/${id}`);
  return project;
}

function getProject(call: Call): object {
  const id = param(call, 'project');
  demand(call, { permission: 'compute.projects.get', resource: `projects/${id}` });
  const project = projectOf(call, id);
  return {
    kind: 'compute#project',
    id: project.number,
    creationTimestamp: '2024-01-01T00:00:00.000-08:00',
    name: id,
    commonInstanceMetadata: {
      kind: 'compute#metadata',
      fingerprint: fingerprint(project.metadata),
      ...(project.metadata.length > 0 && { items: project.metadata }),
    },
    quotas: [{ metric: 'FIREWALLS', limit: 200, usage: project.firewalls.size }],
    selfLink: projectUrl(id, '').replace(/\/$/, ''),
    defaultServiceAccount: `${project.number}-compute@developer.gserviceaccount.com`,
    xpnProjectStatus: 'UNSPECIFIED_XPN_PROJECT_STATUS',
    defaultNetworkTier: 'PREMIUM',
  };
}

function listNetworks(call: Call): object {
  const id = param(call, 'project');
  demand(call, { permission: 'compute.networks.list', resource: `projects/${id}` });
  const resources = [...projectOf(call, id).networks.values()].map(renderNetwork);
  const collection = `projects/${id}/global/networks`;
  return listBody(
    'compute#networkList',
    collection,
    projectUrl(id, 'global/networks'),
    page(resources, call.query),
  );
}

function getNetwork(call: Call): object {
  const id = param(call, 'project');
  const name = param(call, 'network');
  const resource = `projects/${id}/global/networks/${name}`;
  demand(call, { permission: 'compute.networks.get', resource });
  const network = projectOf(call, id).networks.get(name);
  if (network === undefined) throw notFound(resource);
  return renderNetwork(network);
}

function renderNetwork(network: Network): Record<string, unknown> {
  return {
    kind: 'compute#network',
    id: network.id,
    creationTimestamp: network.creationTimestamp,
    name: network.name,
    description: network.name === 'default' ? 'Default network for the project' : '',
    selfLink: globalUrl(network.project, 'networks', network.name),
    selfLinkWithId: globalUrl(network.project, 'networks', network.id),
    autoCreateSubnetworks: true,
    routingConfig: { routingMode: 'REGIONAL' },
    networkFirewallPolicyEnforcementOrder: 'AFTER_CLASSIC_FIREWALL',
  };
}

function listZones(call: Call): object {
  const id = param(call, 'project');
  demand(call, { permission: 'compute.zones.list', resource: `projects/${id}` });
  projectOf(call, id);
  const resources = call.world.zones.map((zone) => renderZone(id, zone));
  return listBody(
    'compute#zoneList',
    `projects/${id}/zones`,
    projectUrl(id, 'zones'),
    page(resources, call.query),
  );
}

function getZone(call: Call): object {
  const id = param(call, 'project');
  const zone = param(call, 'zone');
  demand(call, { permission: 'compute.zones.get', resource: `projects/${id}/zones/${zone}` });
  projectOf(call, id);
  checkZone(call, id, zone);
  return renderZone(id, zone);
}

function listRegions(call: Call): object {
  const id = param(call, 'project');
  demand(call, { permission: 'compute.regions.list', resource: `projects/${id}` });
  projectOf(call, id);
  const regions = [...new Set(call.world.zones.map(regionOf))].map((name) => ({
    kind: 'compute#region',
    id: '1250',
    creationTimestamp: '1969-12-31T16:00:00.000-08:00',
    name,
    description: name,
    status: 'UP',
    zones: call.world.zones
      .filter((zone) => regionOf(zone) === name)
      .map((zone) => projectUrl(id, `zones/${zone}`)),
    selfLink: projectUrl(id, `regions/${name}`),
  }));
  return listBody(
    'compute#regionList',
    `projects/${id}/regions`,
    projectUrl(id, 'regions'),
    page(regions, call.query),
  );
}

/** Throws the 404 of a zone that does not exist. */
export function checkZone(call: Call, project: string, zone: string): void {
  if (!call.world.zones.includes(zone)) throw notFound(`projects/${project}/zones/${zone}`);
}

/** Throws the 404 of a region that does not exist. */
export function checkRegion(call: Call, project: string, region: string): void {
  if (!call.world.zones.some((zone) => regionOf(zone) === region))
    throw notFound(`projects/${project}/regions/${region}`);
}

function renderZone(project: string, zone: string): Record<string, unknown> {
  return {
    kind: 'compute#zone',
    id: '2210',
    creationTimestamp: '1969-12-31T16:00:00.000-08:00',
    name: zone,
    description: zone,
    status: 'UP',
    region: projectUrl(project, `regions/${zone.replace(/-[a-z]$/, '')}`),
    selfLink: projectUrl(project, `zones/${zone}`),
    availableCpuPlatforms: ['Intel Broadwell', 'AMD Rome'],
    supportsPzs: true,
  };
}
