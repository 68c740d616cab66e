import type { Change } from '../converge/change';
import type { Health, HealthCheck } from '../health/check';
import type { Mode } from '../settings/types';
import { clientScript } from './client-script';
import { issueText } from './issue-text';
import type { LayoutReport } from './layout';
import type { PruneReport } from './prune';
import type { Movement } from './told';

/** A pushed reference and the digest under which the registry serves it. */
export interface PushedImage {
  /** `host:port/path:tag` */
  readonly reference: string;
  /** `sha256:…` */
  readonly digest: string;
}

/** How the later steps of a job reach the registry. */
export interface JobAccess {
  /** `host:port` */
  readonly endpoint: string;
  /** Of the login that they have. */
  readonly username: string | null;
  /** TOML for a BuildKit builder; empty: it needs none. */
  readonly buildkitdConfig: string;
}

/** What a health check found in the end, and what it mended. */
export interface HealthReport {
  readonly state: Health;
  readonly checks: readonly HealthCheck[];
  /** What was not healthy before something was mended; null: nothing was. */
  readonly found: readonly HealthCheck[] | null;
}

/** What a run found and did: the source of the outputs and of the job summary. */
export interface Report {
  readonly mode: Mode;
  readonly instance: string;
  readonly zone: string;
  readonly instanceIp: string | null;
  /** `host:port` */
  readonly registry: string;
  /** Nothing but SSH leads to it. */
  readonly loopback: boolean;
  readonly scheme: 'http' | 'https';
  /** PEM of what has to be trusted for it; null: nothing but what machines trust anyway. */
  readonly caCertificate: string | null;
  /** How the later steps of this job reach the registry; null where it was not made for them. */
  readonly job: JobAccess | null;
  /** Null without a UI. */
  readonly uiUrl: string | null;
  readonly uiPort: number;
  /** CIDRs that the standing rule admits; empty: nobody but a run, for its own time. */
  readonly openTo: readonly string[];
  readonly firewallRule: string;
  /** The changes were planned and not made: a dry run, or a health check that mended nothing. */
  readonly onlyPlanned: boolean;
  /** Whether the address may change when the instance is stopped. */
  readonly addressMayChange: boolean;
  readonly changes: readonly Change[];
  readonly notes: readonly string[];
  readonly images: readonly PushedImage[];
  readonly health: HealthReport | null;
  readonly pruned: PruneReport | null;
  readonly layout: LayoutReport | null;
  /** Name of the snapshot that was taken; null: none was. */
  readonly snapshot: string | null;
  /** How the registry was reached before, and is now; null where there was none, or it is not known. */
  readonly movement: Movement | null;
}

/** The outputs of action.yml, by name. */
export function outputsOf(report: Report): Record<string, string> {
  const [first] = report.images;
  const backup = report.layout?.kind === 'backup' && !report.onlyPlanned ? report.layout : null;
  return {
    registry: report.registry,
    endpoint: report.job?.endpoint ?? '',
    scheme: report.scheme,
    'ca-certificate': report.caCertificate ?? '',
    'client-script': report.scheme === 'https' ? clientScript(report.registry, report.caCertificate) : '',
    username: report.job?.username ?? '',
    'buildkitd-config': report.job?.buildkitdConfig ?? '',
    'ui-url': report.uiUrl ?? '',
    image: first === undefined ? '' : `${first.reference}@${first.digest}`,
    images: json(report.images),
    digest: first?.digest ?? '',
    changed: String(!report.onlyPlanned && report.changes.length > 0),
    changes: json(report.changes),
    health: report.health?.state ?? '',
    'health-report': report.health === null ? '' : issueText(report, report.health),
    deleted: report.pruned === null ? '' : String(report.onlyPlanned ? 0 : report.pruned.deleted),
    'freed-bytes': report.pruned === null ? '' : String(report.onlyPlanned ? 0 : report.pruned.freedBytes),
    'backup-path': backup === null ? '' : backup.path,
    'backup-bytes': backup === null ? '' : String(backup.bytes ?? ''),
    snapshot: report.snapshot ?? '',
    'instance-ip': report.instanceIp ?? '',
    'firewall-rule': report.firewallRule,
  };
}

/** JSON without the formatting characters that JSON itself leaves as they are: bidirectional marks, C1 controls. */
function json(value: unknown): string {
  return JSON.stringify(value).replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
