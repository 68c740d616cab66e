import { EventEmitter, once } from 'node:events';
import type { ApiError } from '../compute/errors.ts';
import { operationError } from './answers.ts';

/** Faults that happen to the next N that they can happen to. */
export const COUNTED = [
  'api-503',
  'api-reset',
  'api-rate-limit',
  'api-conflict',
  'api-html',
  'operation-error',
] as const;
/** Faults that last until they are ended; their number is one of seconds, where it means anything. */
export const LASTING = [
  'operation-slow',
  'operation-endless',
  'firewall-lag',
  'key-lag',
  'rules-quota',
  'page-token-repeats',
] as const;

export type CountedFault = (typeof COUNTED)[number];
export type LastingFault = (typeof LASTING)[number];

/** What goes wrong in the lab's Google Cloud at the moment. Whoever serves a request or an operation asks here. */
export class Faults {
  private readonly values = new Map<CountedFault | LastingFault, number>();
  private readonly ended = new EventEmitter().setMaxListeners(0);
  /** Code that operations end with while `operation-error` is on. */
  private errorCode = 'INTERNAL_ERROR';
  private conflicts = 0;

  /** Turns a fault on; `value` is N, or seconds. */
  start(name: CountedFault | LastingFault, value: number, code = 'INTERNAL_ERROR'): void {
    if (name === 'operation-error') this.errorCode = code;
    if (name === 'api-conflict') this.conflicts = 0;
    this.values.set(name, value);
  }

  end(name: CountedFault | LastingFault): void {
    this.values.delete(name);
    this.ended.emit(name);
  }

  /** Whether this is one of the N that the fault is for; counts it. */
  take(name: CountedFault): boolean {
    const left = this.values.get(name) ?? 0;
    if (left > 0) this.values.set(name, left - 1);
    return left > 0;
  }

  isOn(name: LastingFault): boolean {
    return this.values.has(name);
  }

  /** 0 where the fault is off. */
  milliseconds(name: LastingFault): number {
    return (this.values.get(name) ?? 0) * 1000;
  }

  /** How the next change of tags or metadata meets another writer: every second one only when its operation acts. */
  takeConflict(): 'at once' | 'in the operation' | null {
    if (!this.take('api-conflict')) return null;
    return this.conflicts++ % 2 === 0 ? 'at once' : 'in the operation';
  }

  /** What the next operation is to end with; null: nothing. */
  takeOperationError(): ApiError | null {
    return this.take('operation-error') ? operationError(this.errorCode) : null;
  }

  /** Resolves when the fault is off. */
  async over(name: LastingFault): Promise<void> {
    while (this.isOn(name)) await once(this.ended, name);
  }
}
