export type Health = 'healthy' | 'degraded' | 'unhealthy';

/** One row of the health check. */
export interface HealthCheck {
  readonly name: string;
  readonly state: Health;
  readonly finding: string;
}
