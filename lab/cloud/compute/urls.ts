import { invalidField } from './errors.ts';
import type { NetworkRef } from './world.ts';

/** Google gives `selfLink`s on www.googleapis.com, whichever host was asked. */
const BASE = 'https://www.googleapis.com/compute/v1';

export const projectUrl = (project: string, rest: string): string => `${BASE}/projects/${project}/${rest}`;

export const globalUrl = (project: string, collection: string, name: string): string =>
  projectUrl(project, `global/${collection}/${name}`);

export const zoneUrl = (project: string, zone: string, collection: string, name: string): string =>
  projectUrl(project, `zones/${zone}/${collection}/${name}`);

export const regionUrl = (project: string, region: string, collection: string, name: string): string =>
  projectUrl(project, `regions/${region}/${collection}/${name}`);

/** The resource's name in messages, `projects/P/global/firewalls/F`. */
export const nameInMessages = (url: string): string => url.slice(BASE.length + 1);

/** Besides Google's hosts the lab's own address, which gcloud puts there when its endpoint is overridden. */
const NETWORK =
  /^(?:https:\/\/(?:www\.googleapis\.com|compute\.googleapis\.com|[\d.]+(?::\d+)?)\/compute\/v1\/)?(?:projects\/([^/]+)\/)?global\/networks\/([^/]+)$/;

/** Reads a full or partial URL of a network. */
export function parseNetwork(value: string, project: string): NetworkRef {
  const match = NETWORK.exec(value);
  if (!match) throw invalidField('resource.network', value, 'The URL is malformed.');
  return { project: match[1] ?? project, name: match[2] ?? '' };
}

const RESOURCE =
  /^(?:https:\/\/(?:www\.googleapis\.com|compute\.googleapis\.com|[\d.]+(?::\d+)?)\/compute\/v1\/)?(?:projects\/([^/]+)\/)?(?:(global|zones\/[^/]+|regions\/[^/]+)\/)?([a-zA-Z]+)\/([^/]+)$/;

/** What an address of a resource says; a part that is not in it is null. */
export interface ResourceAddress {
  readonly project: string | null;
  /** `global`, `zones/Z`, `regions/R`. */
  readonly scope: string | null;
  readonly name: string;
}

/** Reads a full or partial URL of a resource of a collection. Throws the API's 400. */
export function parseResource(field: string, value: string, collection: string): ResourceAddress {
  const match = RESOURCE.exec(value);
  if (match?.[3] !== collection) throw invalidField(field, value, 'The URL is malformed.');
  return { project: match[1] ?? null, scope: match[2] ?? null, name: match[4] ?? '' };
}
