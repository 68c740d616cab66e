import type { PushTag } from '../docker/local-tag';
import type { RestorePoint } from '../runner/restore';

/** An SSH key of this run in an instance's metadata. */
export interface PendingKey {
  readonly project: string;
  readonly zone: string;
  readonly instance: string;
  /** The line of `ssh-keys`; holds no secret. */
  readonly entry: string;
  /** The call that makes it has ended. Before that it may appear at any time. */
  readonly settled: boolean;
}

/** A firewall rule of this run. */
export interface PendingOpening {
  readonly project: string;
  readonly name: string;
  /** As of PendingKey. */
  readonly settled: boolean;
}

interface Items {
  key: PendingKey;
  opening: PendingOpening;
  runner: RestorePoint;
  tag: PushTag;
}

const ITEMS: readonly (keyof Items)[] = ['key', 'opening', 'runner', 'tag'];

/** Where things are kept between main and post step: `core.saveState` and `core.getState`. */
export interface StateStore {
  save(name: string, value: string): void;
  /** The empty string where nothing was saved. */
  get(name: string): string;
}

/**
 * What this run leaves behind until its post step. Each item is noted before it is made, so that a run that is
 * cancelled in between cleans up as well.
 */
export class Pending {
  readonly #store: StateStore;

  constructor(store: StateStore) {
    this.#store = store;
  }

  /** Null: it is undone already. */
  note<Name extends keyof Items>(name: Name, item: Items[Name] | null): void {
    this.#store.save(name, JSON.stringify(item));
  }

  /** Nothing is left to undo. */
  get empty(): boolean {
    return ITEMS.every((name) => this.read(name) === null);
  }

  read<Name extends keyof Items>(name: Name): Items[Name] | null {
    const text = this.#store.get(name);
    return text === '' ? null : (JSON.parse(text) as Items[Name] | null);
  }
}
