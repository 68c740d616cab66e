import { messageOf } from '../values/errors';
import type { HealthCheck } from './check';

/** The rows of a health check: what fails becomes a row, and what depends on it is left out. */
export class HealthRows {
  readonly #rows: HealthCheck[];

  /** @param rows those that there are already */
  constructor(rows: readonly HealthCheck[] = []) {
    this.#rows = [...rows];
  }

  get all(): readonly HealthCheck[] {
    return this.#rows;
  }

  /** One subject: its row says what `finding` makes of the result, or why there is none (then null is returned). */
  async add<T>(name: string, work: () => Promise<T>, finding: (result: T) => string): Promise<T | null> {
    try {
      const result = await work();
      this.#rows.push({ name, state: 'healthy', finding: finding(result) });
      return result;
    } catch (error) {
      this.#fail(name, error);
      return null;
    }
  }

  /** Several rows from one piece of work, which may fail as a whole. */
  async addAll(name: string, work: () => Promise<readonly HealthCheck[]>): Promise<void> {
    try {
      this.#rows.push(...(await work()));
    } catch (error) {
      this.#fail(name, error);
    }
  }

  #fail(name: string, error: unknown): void {
    this.#rows.push({ name, state: 'unhealthy', finding: messageOf(error) });
  }
}
