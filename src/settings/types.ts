import type { Reference } from '../values/reference';

/** All that a run was told, read and validated once; nothing else reads the inputs. */
export interface Inputs {
  readonly mode: Mode;
  readonly dryRun: boolean;
  readonly credentials: CredentialsInput;
  readonly vm: VmInput;
  readonly firewall: FirewallInput;
  readonly ssh: SshInput;
  readonly registry: RegistryInput;
  readonly docker: DockerInput;
  /** Null in the modes that push nothing. */
  readonly push: PushInput | null;
  readonly runner: RunnerInput;
  readonly summary: boolean;
}

export type Mode = 'deploy' | 'bootstrap' | 'push' | 'health-check';

export type CredentialsInput =
  /** Parsed JSON of a service-account key or an external-account configuration. */
  | { readonly kind: 'json'; readonly json: Readonly<Record<string, unknown>> }
  | { readonly kind: 'access-token'; readonly token: string }
  /** Application Default Credentials. */
  | { readonly kind: 'adc' };

export interface VmInput {
  /** Null: the project of the credentials. */
  readonly project: string | null;
  readonly zone: string;
  readonly instance: string;
}

export interface FirewallInput {
  readonly rule: string;
  readonly targetTag: string;
  /** Admit this runner, for this run. */
  readonly runner: boolean;
  /**
   * CIDRs of the standing rule: canonical, sorted, each once. Empty: no standing rule is wanted. Null: nothing is said
   * of CIDRs, so a standing rule stays as it is.
   */
  readonly ranges: readonly string[] | null;
}

export interface SshInput {
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

export interface RegistryInput {
  /** Null: the external address of the instance. */
  readonly host: string | null;
  readonly port: number;
  readonly uiPort: number;
  /** Title in the web UI. */
  readonly title: string;
  readonly image: string;
  readonly ui: 'joxit' | 'hyper' | 'none';
  /** Image of the UI; null with `none`. */
  readonly uiImage: string | null;
  /** Absolute directory on the instance; null: a named volume. */
  readonly dataPath: string | null;
}

export interface DockerInput {
  readonly source: 'docker' | 'distro';
  /** Base address of Docker's apt repository, without a slash at the end. */
  readonly repository: string;
  readonly mirrors: readonly string[];
  readonly compose: { readonly version: string; readonly sha256: string | null };
}

export interface PushInput {
  readonly image: Reference;
  /** `repository:tag`, without a domain, each once, in the order given; at least one. */
  readonly targets: readonly { readonly path: string; readonly tag: string }[];
  readonly verify: boolean;
}

export interface RunnerInput {
  readonly configure: boolean;
  readonly restore: boolean;
}
