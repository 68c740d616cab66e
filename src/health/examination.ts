import { messageOf } from '../values/errors';
import type { HealthCheck } from './check';

/** Collects the rows of a health check; what fails becomes a row, and what depends on it is left out. */
export class Examination {
  readonly rows: HealthCheck[] = [];

  /** One subject: its row says what `finding` makes of the result, or why there is none (then null is returned). */
  async look<T>(name: string, work: () => Promise<T>, finding: (result: T) => string): Promise<T | null> {
    try {
      const result = await work();
      this.rows.push({ name, state: 'healthy', finding: finding(result) });
      return result;
    } catch (error) {
      this.fail(name, error);
      return null;
    }
  }

  /** Several rows from one piece of work, which may fail as a whole. */
  async collect(name: string, work: () => Promise<readonly HealthCheck[]>): Promise<void> {
    try {
      this.rows.push(...(await work()));
    } catch (error) {
      this.fail(name, error);
    }
  }

  private fail(name: string, error: unknown): void {
    this.rows.push({ name, state: 'unhealthy', finding: messageOf(error) });
  }
}
