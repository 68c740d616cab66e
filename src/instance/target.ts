import type { Target } from '../converge/target';
import type { Log } from '../job/log';
import type { DockerSettings, RegistrySettings } from '../settings/types';
import type { SshConnection } from '../ssh/connection';
import { SshConnectionLost } from '../ssh/remote-command';
import { InstanceAccess } from './access';
import type { Facts } from './facts/facts';
import type { Tls } from './plan/certificate-plan';
import { planInstance } from './plan/plan';
import { endpointsOf } from './plan/stack-plan';
import type { InstanceStep } from './plan/steps';
import { planTeardown, type Teardown } from './plan/teardown-plan';
import { applyPlan, endpointWord, type Reading, waitForTurn } from './remote/apply';
import type { ComposeProgram } from './remote/compose-release';
import type { FrontReplacement } from './remote/front-replacement';
import { readFacts } from './remote/read-facts';
import { servicesOf } from './stack/services';

export interface InstanceTargetOptions {
  readonly connection: SshConnection;
  readonly log: Log;
  /** Names this run in the logs of others that meet it on the instance. */
  readonly run: string;
  /** Login name, which gets into group docker. */
  readonly user: string;
  readonly registry: RegistrySettings;
  readonly docker: DockerSettings;
  readonly tls: Tls;
  /** This runner is to push an image. */
  readonly pushes: boolean;
  /** Whether the facts are to have the ages of images, which takes longer. */
  readonly withImages: boolean;
  readonly events: Partial<InstanceEvents>;
  /** It is to be rid of the registry; null: it is to have it. */
  readonly teardown: Teardown | null;
  /** Fetches the Compose plugin for an architecture as the facts name it; called only when a step needs it. */
  readonly loadCompose: (arch: string) => Promise<ComposeProgram>;
}

/** What is learnt about an instance while it is read or changed. */
export interface InstanceEvents {
  /** This runner's address, as the instance sees it, while the rest is still being read. */
  onClient(address: string): void;
  /** Another run changes the instance at the same time. */
  onOtherRun(): void;
  /** This run has replaced the container of the front. */
  onFrontReplaced(how: FrontReplacement): void;
}

/** The instance as a target: packages, daemon, registry and UI. One remote command reads it, one changes it. */
export function instanceTarget(options: InstanceTargetOptions): Target<Facts, InstanceStep> {
  const { registry, docker, tls, pushes, connection, events, teardown } = options;
  const desired = { registry, docker, tls, pushes };
  const access = new InstanceAccess(registry.access);
  const factsOf = async ({ facts, users }: Reading): Promise<Facts> => ({
    ...facts,
    users: await access.read(users),
  });
  const factsArguments = [
    options.user,
    registry.dataPath ?? '',
    String(options.withImages),
    ...endpointsOf(servicesOf(registry)).map(endpointWord),
  ];
  return {
    name: 'instance',
    read: async () =>
      factsOf(await readFacts(connection, factsArguments, (address) => events.onClient?.(address))),
    isBusy: ({ lock }) => lock.busy,
    async wait() {
      events.onOtherRun?.();
      return factsOf(await waitForTurn({ ...options, factsArguments }));
    },
    plan: (facts) => (teardown === null ? planInstance(desired, facts) : planTeardown(teardown, facts)),
    async apply({ arch, lock, clockAhead }, plan) {
      const kinds = new Set(plan.steps.map(({ action }) => action.kind));
      const compose = kinds.has('install-compose') ? await options.loadCompose(arch) : null;
      const users = kinds.has('write-users') ? await access.file() : null;
      const request = { ...options, plan, turn: lock.turn, factsArguments, compose, users, clockAhead };
      try {
        const { outdated, front, ...reading } = await applyPlan(request);
        if (front !== null) events.onFrontReplaced?.(front);
        const state = await factsOf(reading);
        if (!outdated) return { kind: 'applied', done: plan.steps, state };
        events.onOtherRun?.();
        return { kind: 'outdated', state };
      } catch (error) {
        if (error instanceof SshConnectionLost) return { kind: 'lost', cause: error };
        throw error;
      }
    },
  };
}
