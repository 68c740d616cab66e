import { randomUUID } from 'node:crypto';
import type { Plan } from '../converge/change';
import { printPlan, type Target } from '../converge/converge';
import type { Log } from '../job/log';
import type { DockerInput, RegistryInput } from '../settings/types';
import type { SshConnection } from '../ssh/connection';
import { ActionError } from '../values/errors';
import { shellQuote } from '../values/quote';
import { excerpt } from '../values/show';
import { type Facts, parseFacts } from './facts/facts';
import { planInstance } from './plan/plan';
import type { InstanceStep } from './plan/steps';
import { applyPlan, instanceBusy } from './remote/apply';
import { FACTS_SCRIPT } from './remote/assets';
import type { ComposeProgram } from './remote/compose-release';
import { Losses } from './remote/losses';
import { requireShell, shellCommand } from './remote/remote-shell';

/** Reading takes a second; a machine that is short of memory or boots takes longer. */
const FACTS_TIMEOUT_MS = 60_000;
/** How long other runs that change the same instance may take together. */
const WAIT_MS = 15 * 60_000;

export interface InstanceTargetOptions {
  readonly connection: SshConnection;
  readonly log: Log;
  /** Names this run in the logs of others that meet it on the instance. */
  readonly run: string;
  /** Login name, which gets into group docker. */
  readonly user: string;
  readonly registry: RegistryInput;
  readonly docker: DockerInput;
  readonly events: Partial<InstanceEvents>;
  /** Fetches the Compose plugin for an architecture as the facts name it; called only when a step needs it. */
  readonly loadCompose: (arch: string) => Promise<ComposeProgram>;
}

/** What is learnt about an instance while it is read or changed. */
export interface InstanceEvents {
  /** This runner's address, as the instance sees it, while the rest is still being read. */
  onClient(address: string): void;
  /** Another run changes the instance at the same time. */
  onOtherRun(): void;
}

/**
 * The instance as a target: packages, daemon, registry and UI. One remote command reads it, one changes it. While
 * another run changes it, this one waits; and a plan that was made before another run changed it is made anew. So it
 * is after the connection was lost, when the step that was at work may still be.
 */
export function instanceTarget(options: InstanceTargetOptions): Target<Facts, InstanceStep> {
  const { registry, docker, connection, log, events } = options;
  const factsArguments = [
    options.user,
    String(registry.port),
    String(registry.uiPort),
    registry.dataPath ?? '',
  ];
  let last: Facts | null = null;
  const carryOut = async (plan: Plan<InstanceStep>) => {
    const needed = plan.steps.some(({ action }) => action.kind === 'install-compose');
    const compose = needed ? await options.loadCompose(last?.arch ?? '') : null;
    const turn = last?.lock.turn ?? '';
    const clockAhead = last?.clockAhead ?? 0;
    const applied = await applyPlan({ ...options, plan, turn, factsArguments, compose, clockAhead });
    last = applied.facts;
    if (applied.outdated) events.onOtherRun?.();
    return { ...applied, cutOff: false };
  };
  const losses = new Losses(log);
  const read = () =>
    losses.again('reading it again', async () => {
      last = await readFacts(connection, factsArguments, (address) => events.onClient?.(address));
      // In the middle of another run's changes an instance can look as if nothing could mend it.
      if (!last.lock.busy) return last;
      events.onOtherRun?.();
      return (await carryOut(NOTHING)).facts;
    });
  const carryOutOrRead = async (plan: Plan<InstanceStep>) => {
    try {
      return await carryOut(plan);
    } catch (error) {
      losses.tolerate(error, 'reading what is done, and doing the rest');
      return { facts: await read(), cutOff: true, outdated: false };
    }
  };
  return {
    name: 'instance',
    read,
    plan: (facts) => planInstance({ registry, docker }, facts),
    async apply(plan) {
      const done: InstanceStep[] = [];
      const startBy = Date.now() + WAIT_MS;
      let left = plan;
      for (let again = false; Date.now() < startBy; ) {
        const { facts, outdated, cutOff } = await carryOutOrRead(left);
        const next = planInstance({ registry, docker }, facts);
        if (!outdated) done.push(...(cutOff ? notIn(next, left) : left.steps));
        left = next;
        const isLast = left.steps.length === 0 || (again && !outdated && !cutOff);
        if (isLast) return { state: facts, plan: { ...plan, steps: done } };
        if (!outdated && !cutOff) {
          again = true;
          log.info('Somebody else changed the instance at the same time: what they undid is done once more');
        }
        printPlan('instance', left, log);
      }
      throw instanceBusy();
    },
  };
}

const NOTHING: Plan<InstanceStep> = { steps: [], notes: [] };

/** Steps of a plan that was cut off which are no longer to be done: they were carried out. */
function notIn(next: Plan<InstanceStep>, cutOff: Plan<InstanceStep>): readonly InstanceStep[] {
  const left = new Set(next.steps.map(({ change }) => change.what));
  return cutOff.steps.filter(({ change }) => !left.has(change.what));
}

/** @throws ActionError `No facts`, `Unexpected facts`, those of requireShell and of SshConnection.run */
async function readFacts(
  connection: SshConnection,
  factsArguments: readonly string[],
  onClient: (address: string) => void,
): Promise<Facts> {
  const marker = randomUUID();
  const clientMark = `${marker}:client `;
  const words = factsArguments.map(shellQuote).join(' ');
  const result = await connection.run(shellCommand(FACTS_TIMEOUT_MS), {
    stdin: `${FACTS_SCRIPT}\nfacts ${marker} "$1" ${words}; exit 0\n`,
    timeoutMs: FACTS_TIMEOUT_MS,
    onLine: (line) => {
      if (line.startsWith(clientMark)) onClient(line.slice(clientMark.length));
    },
  });
  const facts = parseFacts(result.stdout, marker);
  if (facts !== null) return facts;
  requireShell(result);
  throw new ActionError('No facts', {
    doing: 'reading the state of the instance',
    happened: `the script printed none: ${excerpt(`${result.stdout} ${result.stderr}`)}`,
    next: 'Check what the login shell of ssh-user prints on the instance, and that bash is the usual one',
  });
}
