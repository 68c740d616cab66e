import type { Compute, FirewallRule, Instance } from '../../../src/google/compute';
import type { GoogleContext } from '../../../src/google/context';
import type { CredentialsHint } from '../../../src/leases/google-place';
import { Journal, type StateStore } from '../../../src/leases/journal';
import type { LeaseTerms } from '../../../src/leases/lease-terms';
import { VM } from '../firewall/fixtures';

export const NOW = Date.parse('2026-01-01T00:00:00Z');
export const HOUR = 60 * 60 * 1000;

/** State that is kept, with every version of an entry. */
export class FakeState implements StateStore {
  readonly values = new Map<string, string>();
  readonly history: string[] = [];
  save(name: string, value: string): void {
    this.values.set(name, value);
    this.history.push(value);
  }
  get(name: string): string {
    return this.values.get(name) ?? '';
  }
  get records(): Record<string, unknown>[] {
    return JSON.parse(this.get('leases') || '[]');
  }
}

export const HINT: CredentialsHint = { kind: 'adc', file: '/creds.json', universeDomain: 'googleapis.com' };

export const CONTEXT: GoogleContext = {
  credentialsFile: null,
  project: null,
  universeDomain: 'googleapis.com',
  trustedDirectories: [],
  tokenHost: null,
};

export const DOCKER = { environment: { PATH: '/usr/bin', DOCKER_CONFIG: '/home/ci/.docker' } };

export function termsOf(state: StateStore): LeaseTerms {
  return {
    journal: new Journal(state),
    lifetimeMs: 7 * HOUR,
    credentials: HINT,
    docker: DOCKER,
    now: () => NOW,
  };
}

/** An instance and rules in memory; every change is noted in `calls`. */
export class FakeCompute implements Compute {
  vm: Instance = VM;
  rules: FirewallRule[] = [];
  readonly calls: string[] = [];
  /** Fails the methods that it names. */
  failing: Readonly<Record<string, Error>> = {};
  /** Runs before a change takes effect. */
  meanwhile: () => void = () => undefined;

  async getInstance(): Promise<Instance> {
    this.#fail('getInstance');
    return this.vm;
  }
  async editTags(edit: (tags: readonly string[]) => readonly string[]): Promise<void> {
    this.#fail('editTags');
    this.meanwhile();
    const items = edit(this.vm.tags.items);
    if (items.join() !== this.vm.tags.items.join()) this.calls.push(`tags ${items.join()}`);
    this.vm = { ...this.vm, tags: { items, fingerprint: 'f' } };
  }
  async editMetadata(key: string, edit: (value: string | null) => string | null): Promise<void> {
    this.#fail('editMetadata');
    const before = this.sshKeys;
    const value = edit(before);
    if (value !== before) this.calls.push(`metadata ${key}`);
    const items = value === null ? [] : [{ key, value }];
    this.vm = { ...this.vm, metadata: { items, fingerprint: 'f' } };
  }
  get sshKeys(): string | null {
    return this.vm.metadata.items.find(({ key }) => key === 'ssh-keys')?.value ?? null;
  }
  getGuestAttributes = async () => null;
  async listFirewallRules(): Promise<readonly FirewallRule[]> {
    this.#fail('listFirewallRules');
    return this.rules;
  }
  async insertFirewallRule(project: string, rule: FirewallRule): Promise<void> {
    this.#fail('insertFirewallRule');
    this.calls.push(`insert ${project}/${rule.name}`);
    this.rules = [...this.rules, rule];
  }
  async patchFirewallRule(): Promise<void> {
    this.#fail('patchFirewallRule');
  }
  async deleteFirewallRule(project: string, name: string): Promise<boolean> {
    this.#fail('deleteFirewallRule');
    const found = this.rules.some((rule) => rule.name === name);
    if (found) this.calls.push(`delete ${project}/${name}`);
    this.rules = this.rules.filter((rule) => rule.name !== name);
    return found;
  }
  #fail(method: string): void {
    const error = this.failing[method];
    if (error !== undefined) throw error;
  }
}
