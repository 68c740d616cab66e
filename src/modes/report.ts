import type { Outcome } from '../converge/converge';
import type { Instance } from '../google/compute';
import { registryName } from '../registry/endpoint';
import type { PushedImage, Report } from '../report/outputs';
import { buildkitdConfig } from '../runner/instructions';
import type { SiteFirewall } from './firewall';
import type { Movement } from './movement';
import type { Reached } from './reach-registry';
import { addressOf, type RegistryAddress } from './registry-address';
import type { Run } from './run';

/** What a mode found and did, as a report. */
export function reportOf(
  { settings }: Run,
  vm: Instance | null,
  address: RegistryAddress,
  found: {
    readonly outcomes?: readonly (Outcome<unknown> | null)[];
    /** PEM of what the registry's certificate is signed by, where a machine that pulls has to be told. */
    readonly ca?: string | null;
    /** Path of a file on this runner that holds it. */
    readonly caFile?: string | null;
    /** How this job reaches the registry, where it was made to. */
    readonly reached?: Reached | null;
    readonly images?: readonly PushedImage[];
    readonly health?: Report['health'];
    readonly pruned?: Report['pruned'];
    readonly layout?: Report['layout'];
    /** Name of the snapshot that was taken. */
    readonly snapshot?: string | null;
    /** Where the rules were read. */
    readonly firewall?: SiteFirewall | null;
    readonly movement?: Movement | null;
  },
): Report {
  const outcomes = (found.outcomes ?? []).filter((outcome) => outcome !== null);
  return {
    mode: settings.mode,
    instance: settings.vm.instance,
    zone: settings.vm.zone,
    instanceIp: vm === null ? null : addressOf(vm),
    registry: address.registry,
    loopback: settings.registry.loopback,
    scheme: address.scheme,
    caCertificate: found.ca ?? null,
    job: jobAt(found.reached ?? null, found),
    uiUrl: address.uiUrl,
    uiPort: settings.registry.uiPort,
    openTo: found.firewall?.openTo ?? settings.firewall.ranges ?? [],
    firewallRule: found.firewall?.rule ?? settings.firewall.rule,
    onlyPlanned: settings.dryRun,
    addressMayChange: address.mayChange,
    changes: outcomes.flatMap(({ changes }) => changes),
    notes: outcomes.flatMap(({ notes }) => notes),
    images: found.images ?? [],
    health: found.health ?? null,
    pruned: found.pruned ?? null,
    layout: found.layout ?? null,
    snapshot: found.snapshot ?? null,
    movement: found.movement ?? null,
  };
}

/** How the later steps of this job reach the registry. */
function jobAt(
  reached: Reached | null,
  { ca = null, caFile = null }: { readonly ca?: string | null; readonly caFile?: string | null },
): Report['job'] {
  if (reached === null) return null;
  const { endpoint, way } = reached;
  const authority = way.tunnel !== null ? 'tunnel' : ca === null ? null : { file: caFile };
  const registry = registryName(endpoint);
  return {
    endpoint: registry,
    username: endpoint.login?.username ?? null,
    buildkitdConfig: buildkitdConfig(registry, endpoint.scheme, authority),
  };
}
