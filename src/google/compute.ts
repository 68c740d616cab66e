/** The part of a Compute Engine instance that the action looks at. */
export interface Instance {
  readonly project: string;
  readonly zone: string;
  readonly name: string;
  readonly id: string;
  /** PROVISIONING, STAGING, RUNNING, STOPPING, SUSPENDED, TERMINATED, … */
  readonly status: string;
  readonly windows: boolean;
  /** Of nic0: the project may be another one (Shared VPC). */
  readonly network: { readonly project: string; readonly name: string };
  /** Addresses of nic0; null without one. */
  readonly internalIp: string | null;
  readonly externalIp: string | null;
  readonly internalIpv6: string | null;
  readonly externalIpv6: string | null;
  readonly tags: { readonly items: readonly string[]; readonly fingerprint: string };
  /** In the order of the API. */
  readonly disks: readonly AttachedDisk[];
  readonly metadata: {
    readonly items: readonly { readonly key: string; readonly value: string }[];
    readonly fingerprint: string;
  };
}

/** A disk on an instance. */
export interface AttachedDisk {
  /** Name of the disk; empty for one of the host's own (local SSD). */
  readonly name: string;
  /** In the instance it is /dev/disk/by-id/google-DEVICE. */
  readonly device: string;
  /** One that two zones have. */
  readonly regional: boolean;
  readonly boot: boolean;
  /** A disk of the host's own (local SSD), which is lost with the instance, and of which there are no snapshots. */
  readonly scratch: boolean;
  /** It is deleted with the instance. */
  readonly autoDelete: boolean;
}

/** A VPC firewall rule, as the Compute API knows it; ports absent means every port of the protocol. */
export interface FirewallRule {
  readonly name: string;
  readonly network: string;
  readonly description: string;
  readonly direction: 'INGRESS' | 'EGRESS';
  readonly priority: number;
  readonly disabled: boolean;
  readonly sourceRanges: readonly string[];
  readonly sourceTags: readonly string[];
  readonly sourceServiceAccounts: readonly string[];
  readonly targetTags: readonly string[];
  readonly targetServiceAccounts: readonly string[];
  readonly allowed: readonly ProtocolPorts[];
  readonly denied: readonly ProtocolPorts[];
}

export interface ProtocolPorts {
  /** `tcp`, `udp`, `all`, or a number. */
  readonly protocol: string;
  /** `5000` or `5000-5010`; empty: every port. */
  readonly ports: readonly string[];
}

/** `code` of the error for a rule that somebody else added meanwhile. */
export const RULE_EXISTS = 'rule-exists';
/** `code` of the error for a permission that the credentials lack. */
export const FORBIDDEN = 'forbidden';
/** `code` of the error for what does not exist in Google Cloud, or not any more. */
export const NOT_FOUND = 'not-found';

/**
 * The calls of the Compute API that the action makes. Mutations wait for their operation, and throw when it ends
 * in an error; each has one requestId however often it is tried, so that a retry does nothing twice.
 */
export interface Compute {
  getInstance(): Promise<Instance>;
  /**
   * Changes the instance's tags: `edit` gets the present ones and returns the wanted ones, and is called again
   * with fresh ones when somebody else was faster (412 conditionNotMet). Nothing is sent when nothing differs.
   */
  editTags(edit: (tags: readonly string[]) => readonly string[]): Promise<void>;
  /** The same for one metadata entry; null: there is none, or there is to be none. All others stay. */
  editMetadata(key: string, edit: (value: string | null) => string | null): Promise<void>;
  /** Items below a path such as `hostkeys/`; null when the instance has none. */
  getGuestAttributes(path: string): Promise<readonly { key: string; value: string }[] | null>;
  /** Every rule of a project, of all its networks. */
  listFirewallRules(project: string): Promise<readonly FirewallRule[]>;
  insertFirewallRule(project: string, rule: FirewallRule): Promise<void>;
  /** A merge patch: fields that are absent stay. */
  patchFirewallRule(project: string, name: string, fields: Partial<FirewallRule>): Promise<void>;
  /** False where there is no such rule, which is no error. */
  deleteFirewallRule(project: string, name: string): Promise<boolean>;
}
