import { setImmediate } from 'node:timers/promises';
import type { Authentication } from './credentials';
import type { FirewallMessage, InstanceMessage, MetadataMessage, TagsMessage } from './resources';
import type { DiskMessage, PolicyMessage, SnapshotMessage } from './storage-messages';

/** A Compute operation. */
export interface OperationMessage {
  readonly name?: string | null;
  readonly status?: string | null;
  readonly httpErrorStatusCode?: number | null;
  readonly httpErrorMessage?: string | null;
  readonly error?: {
    readonly errors?: readonly { readonly code?: string | null; readonly message?: string | null }[];
  } | null;
}

interface CallOptions {
  readonly timeout: number;
  /** Null switches gax's own retries off: retries.ts does them, for every call, and says so. */
  readonly retry: null;
  readonly autoPaginate?: false;
}

/** Mutations answer with gax's wrapper around the operation. */
type Mutation<Request> = (
  request: Request & { requestId: string },
  options: CallOptions,
) => Promise<[{ latestResponse: OperationMessage }, ...unknown[]]>;
type Read<Request, Response> = (request: Request, options: CallOptions) => Promise<[Response, ...unknown[]]>;

interface InProject {
  readonly project: string;
}
interface InZone extends InProject {
  readonly zone: string;
}
interface OfInstance extends InZone {
  readonly instance: string;
}
interface OfDisk extends InZone {
  readonly disk: string;
}
interface InRegion extends InProject {
  readonly region: string;
}

type List<Request, Response> = (
  request: Request & { maxResults: number; pageToken?: string; filter?: string },
  options: CallOptions,
) => Promise<[Response[], { pageToken?: string } | null, ...unknown[]]>;

/** The methods of the official clients that the action calls. */
export interface InstancesClient {
  get: Read<OfInstance, InstanceMessage>;
  setTags: Mutation<OfInstance & { tagsResource: TagsMessage }>;
  setMetadata: Mutation<OfInstance & { metadataResource: MetadataMessage }>;
  attachDisk: Mutation<
    OfInstance & { attachedDiskResource: { source: string; deviceName: string; autoDelete: boolean } }
  >;
  detachDisk: Mutation<OfInstance & { deviceName: string }>;
  getGuestAttributes: Read<
    OfInstance & { queryPath: string },
    { queryValue?: { items?: readonly { key?: string | null; value?: string | null }[] } | null }
  >;
}

export interface FirewallsClient {
  list(
    request: InProject & { maxResults: number; pageToken?: string },
    options: CallOptions,
  ): Promise<[FirewallMessage[], { pageToken?: string } | null, ...unknown[]]>;
  insert: Mutation<InProject & { firewallResource: FirewallMessage }>;
  patch: Mutation<InProject & { firewall: string; firewallResource: FirewallMessage }>;
  delete: Mutation<InProject & { firewall: string }>;
}

export interface DisksClient {
  get: Read<OfDisk, DiskMessage>;
  list: List<InZone, DiskMessage>;
  insert: Mutation<InZone & { diskResource: DiskMessage }>;
  setLabels: Mutation<
    InZone & {
      resource: string;
      zoneSetLabelsRequestResource: {
        labels: Readonly<Record<string, string>>;
        labelFingerprint: string;
      };
    }
  >;
  addResourcePolicies: Mutation<
    OfDisk & { disksAddResourcePoliciesRequestResource: { resourcePolicies: readonly string[] } }
  >;
  removeResourcePolicies: Mutation<
    OfDisk & { disksRemoveResourcePoliciesRequestResource: { resourcePolicies: readonly string[] } }
  >;
  createSnapshot: Mutation<OfDisk & { snapshotResource: SnapshotMessage }>;
}

export interface SnapshotsClient {
  get: Read<InProject & { snapshot: string }, SnapshotMessage>;
  list: List<InProject, SnapshotMessage>;
  delete: Mutation<InProject & { snapshot: string }>;
}

export interface ResourcePoliciesClient {
  get: Read<InRegion & { resourcePolicy: string }, PolicyMessage>;
  insert: Mutation<InRegion & { resourcePolicyResource: PolicyMessage }>;
  patch: Mutation<InRegion & { resourcePolicy: string; resourcePolicyResource: PolicyMessage }>;
  delete: Mutation<InRegion & { resourcePolicy: string }>;
}

export interface OperationsClient<Request> {
  wait: Read<Request & { operation: string }, OperationMessage>;
}

/** Each client is made when it is first asked for. */
export interface Clients {
  instances(): InstancesClient;
  firewalls(): FirewallsClient;
  disks(): DisksClient;
  snapshots(): SnapshotsClient;
  resourcePolicies(): ResourcePoliciesClient;
  globalOperations(): OperationsClient<InProject>;
  zoneOperations(): OperationsClient<InZone>;
  regionOperations(): OperationsClient<InRegion>;
}

type Constructor<Client> = new (options: {
  authClient: unknown;
  universeDomain: string;
  fallback: true;
}) => Client;

/**
 * The official Compute clients, over REST.
 *
 * `require`, because their code is loaded only where a call is made (start-up time), and because their type
 * declarations come with 33 MB of messages, which would cost every type check six seconds.
 */
export function computeClients({ authClient, universeDomain }: Authentication): Clients {
  const make = <Client>(Type: Constructor<Client>): Client =>
    new Type({ authClient, universeDomain, fallback: true });
  return {
    instances: once(() =>
      make<InstancesClient>(
        require('@google-cloud/compute/build/src/v1/instances_client.js').InstancesClient,
      ),
    ),
    firewalls: once(() =>
      make<FirewallsClient>(
        require('@google-cloud/compute/build/src/v1/firewalls_client.js').FirewallsClient,
      ),
    ),
    disks: once(() =>
      make<DisksClient>(require('@google-cloud/compute/build/src/v1/disks_client.js').DisksClient),
    ),
    snapshots: once(() =>
      make<SnapshotsClient>(
        require('@google-cloud/compute/build/src/v1/snapshots_client.js').SnapshotsClient,
      ),
    ),
    resourcePolicies: once(() =>
      make<ResourcePoliciesClient>(
        require('@google-cloud/compute/build/src/v1/resource_policies_client.js').ResourcePoliciesClient,
      ),
    ),
    globalOperations: once(() =>
      make<OperationsClient<InProject>>(
        require('@google-cloud/compute/build/src/v1/global_operations_client.js').GlobalOperationsClient,
      ),
    ),
    zoneOperations: once(() =>
      make<OperationsClient<InZone>>(
        require('@google-cloud/compute/build/src/v1/zone_operations_client.js').ZoneOperationsClient,
      ),
    ),
    regionOperations: once(() =>
      make<OperationsClient<InRegion>>(
        require('@google-cloud/compute/build/src/v1/region_operations_client.js').RegionOperationsClient,
      ),
    ),
  };
}

/**
 * Makes the clients one after the other, each in a turn of the event loop of its own. Their code takes a while to load,
 * which is best spent while Google's answers are under way.
 */
export async function loadAhead({ instances, firewalls, zoneOperations, globalOperations }: Clients) {
  for (const make of [instances, firewalls, zoneOperations, globalOperations]) {
    await setImmediate();
    make();
  }
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
