import type { Plan } from '../converge/change';
import { describeChange } from '../converge/describe';
import type { HealthCheck } from './check';

/** What a plan would change is drift: the thing works or not, but it is not as the inputs want it. */
export function driftRow(name: string, plan: Plan): HealthCheck {
  const changes = plan.steps.map(({ change }) => describeChange(change));
  return changes.length === 0
    ? { name, state: 'healthy', finding: 'as the inputs want it' }
    : { name, state: 'degraded', finding: `a run would change: ${changes.join('; ')}` };
}
