import type { ServerCertificate } from '../values/certificate';
import type { Login } from '../values/logins';
import type { Reference, WrittenTarget } from '../values/reference';
import type { SnapshotSchedule } from '../values/snapshot-schedule';
import type { Mode } from './table';

export type { Mode };

/** All that a run was told, by its step and its config file, read and validated once; nothing else reads them. */
export interface Settings {
  readonly mode: Mode;
  readonly dryRun: boolean;
  /** A health check mends what it finds, where a plan can. */
  readonly repair: boolean;
  /** A teardown takes the images too. */
  readonly deleteData: boolean;
  readonly credentials: CredentialsSettings;
  readonly vm: VmSettings;
  readonly route: RouteSettings;
  readonly firewall: FirewallSettings;
  readonly ssh: SshSettings;
  readonly registry: RegistrySettings;
  readonly docker: DockerSettings;
  /** Null in the modes that push nothing, and where images are restored instead. */
  readonly push: PushSettings | null;
  /** Null where nothing is restored. */
  readonly restore: RestoreSettings | null;
  readonly backup: BackupSettings;
  readonly runner: RunnerSettings;
  readonly retention: Retention;
  readonly snapshots: SnapshotSettings;
  readonly summary: boolean;
  /** What is taken as it was written, but looks as if something else was meant. */
  readonly warnings: readonly string[];
}

export type CredentialsSettings =
  /** Parsed JSON of a service-account key or an external-account configuration. */
  | { readonly kind: 'json'; readonly json: Readonly<Record<string, unknown>> }
  | { readonly kind: 'access-token'; readonly token: string }
  /** Application Default Credentials. */
  | { readonly kind: 'adc' };

export interface VmSettings {
  /** Null: the project of the credentials. */
  readonly project: string | null;
  readonly zone: string;
  readonly instance: string;
}

/** How a run reaches the registry. */
export type RouteSettings = 'direct' | 'ssh';

export interface FirewallSettings {
  readonly rule: string;
  readonly targetTag: string;
  /** Admit this runner, for this run. */
  readonly runner: boolean;
  /**
   * CIDRs of the standing rule: canonical, sorted, each once. Empty: no standing rule is wanted. Null: nothing was said of
   * it, and the rule stays as it is.
   */
  readonly ranges: readonly string[] | null;
}

export interface SshSettings {
  readonly user: string;
  readonly port: number;
  /** Null: an ephemeral key. */
  readonly privateKey: string | null;
  /** `guest-attributes`: as published by the instance. Entries are known_hosts lines or SHA256 fingerprints. */
  readonly hostKey:
    | { readonly kind: 'guest-attributes' }
    | { readonly kind: 'given'; readonly entries: readonly string[] }
    | { readonly kind: 'unverified' };
}

export interface RegistrySettings {
  /** Null: the external address of the instance. */
  readonly host: string | null;
  readonly port: number;
  readonly uiPort: number;
  /** Both ports are those of the instance's loopback alone. */
  readonly loopback: boolean;
  /** Title in the web UI. */
  readonly title: string;
  readonly image: string;
  /** Image of Caddy. */
  readonly frontImage: string;
  readonly ui: 'joxit' | 'hyper' | 'none';
  /** Image of the UI; null with `none`. */
  readonly uiImage: string | null;
  /** Absolute directory on the instance. Null: not said; the data stays where it is, on a new instance a named volume. */
  readonly dataPath: string | null;
  readonly tls: TlsSettings;
  readonly access: AccessSettings;
}

/** Who may log in to registry and UI. */
export interface AccessSettings {
  /** That of this run. */
  readonly login: { readonly username: string; readonly password: string } | null;
  /** Those that are made sure of where something is set up, that of this run first. */
  readonly logins: readonly Login[];
  /** Whether there are to be no others of the kind. */
  readonly sole: { readonly writers: boolean; readonly readers: boolean };
  /** Pulling takes no login. */
  readonly anonymousPull: boolean;
}

export type TlsSettings =
  | { readonly kind: 'none' }
  /** By a CA of the instance's own. */
  | { readonly kind: 'private-ca' }
  /** By the front itself, from a certificate authority that speaks ACME; the address of its directory. */
  | { readonly kind: 'acme'; readonly directory: string; readonly email: string | null }
  /** By what is given; null where it need not be, since nothing is set up. */
  | { readonly kind: 'certificate'; readonly given: ServerCertificate | null };

export interface DockerSettings {
  readonly source: 'docker' | 'distro';
  /** Base address of Docker's apt repository, without a slash at the end. */
  readonly repository: string;
  readonly mirrors: readonly string[];
  readonly compose: { readonly version: string; readonly sha256: string | null };
}

export interface PushSettings {
  readonly image: Reference;
  /** As written, each once, in the order given; at least one. `resolveTargets` takes the registry off them. */
  readonly targets: readonly WrittenTarget[];
  readonly verify: boolean;
}

/** A layout that is put into the registry. */
export interface RestoreSettings {
  /** Absolute path of its folder. */
  readonly from: string;
  /** Where an image goes whose name says no repository. */
  readonly fallback: { readonly repository: string; readonly tag: string | null } | null;
  /** Tags that stand for another image are moved. */
  readonly overwrite: boolean;
}

/** A layout that is made of the registry. */
export interface BackupSettings {
  readonly to: 'snapshot' | 'oci-layout';
  /** Absolute path of its folder. */
  readonly path: string;
  /** Globs; empty: all. */
  readonly repositories: readonly string[];
}

export interface RunnerSettings {
  readonly configure: boolean;
  readonly restore: boolean;
  /** Restart the daemon where that is needed, also while containers run. */
  readonly restart: boolean;
}

/** Copies of the disk that holds the images. */
export interface SnapshotSettings {
  /** `none`: there is to be no schedule. Null: not said; one that there is stays as it is. */
  readonly schedule: SnapshotSchedule | 'none' | null;
  readonly keepDays: number;
  /** One is taken before images are deleted. */
  readonly before: boolean;
  /** Name of the snapshot that the data is to come from, or `latest`. Null: of none. */
  readonly restore: string | null;
}

/** What a prune keeps, and how. */
export interface Retention {
  /** The first that fits a repository holds; where none does, all of it is kept. */
  readonly rules: readonly RetentionRule[];
  /** Digests that are kept wherever they are. */
  readonly inUse: readonly string[];
  /** For how long pushes may be held while something is deleted. */
  readonly windowSeconds: number;
}

/** A tag is kept if any of these says so. */
export interface RetentionRule {
  /** Glob. */
  readonly repositories: string;
  /** So many tags, those that were pushed last; 0 says that all may go. */
  readonly newest: number | null;
  /** Those that were pushed within so many seconds. */
  readonly within: number | null;
  readonly tags: readonly KeepTag[];
}

export type KeepTag =
  | { readonly kind: 'glob'; readonly glob: string }
  /** Of versions. */
  | { readonly kind: 'range'; readonly range: string };
