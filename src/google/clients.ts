import { setImmediate } from 'node:timers/promises';
import type { Authentication } from './credentials';
import type { FirewallMessage, InstanceMessage, MetadataMessage, TagsMessage } from './resources';

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
interface OfInstance extends InProject {
  readonly zone: string;
  readonly instance: string;
}

/** The methods of the official clients that the action calls. */
export interface InstancesClient {
  get: Read<OfInstance, InstanceMessage>;
  setTags: Mutation<OfInstance & { tagsResource: TagsMessage }>;
  setMetadata: Mutation<OfInstance & { metadataResource: MetadataMessage }>;
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

export interface OperationsClient<Request> {
  wait: Read<Request & { operation: string }, OperationMessage>;
}

/** Each client is made when it is first asked for. */
export interface Clients {
  instances(): InstancesClient;
  firewalls(): FirewallsClient;
  globalOperations(): OperationsClient<InProject>;
  zoneOperations(): OperationsClient<InProject & { zone: string }>;
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
    globalOperations: once(() =>
      make<OperationsClient<InProject>>(
        require('@google-cloud/compute/build/src/v1/global_operations_client.js').GlobalOperationsClient,
      ),
    ),
    zoneOperations: once(() =>
      make<OperationsClient<InProject & { zone: string }>>(
        require('@google-cloud/compute/build/src/v1/zone_operations_client.js').ZoneOperationsClient,
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
