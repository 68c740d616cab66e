import type { Plan } from '../../converge/change';
import type { Target } from '../../converge/target';
import type { Log } from '../../job/log';
import type { Retention } from '../../settings/types';
import type { SshConnection } from '../../ssh/connection';
import { SshConnectionLost } from '../../ssh/remote-command';
import { formatBytes } from '../../values/bytes';
import type { Facts } from '../facts/facts';
import { type InstanceStep, instanceStep } from '../plan/steps';
import { applyPlan, waitForTurn } from '../remote/apply';
import { readFacts } from '../remote/read-facts';
import type { Contents } from './contents';
import { TOUCHED_SECONDS } from './keep';
import { readContents } from './list';
import { isNothingToPrune, type PrunePlan, planPrune, pruneLines, tagsThatGo } from './prune-plan';

export interface ImagesTargetOptions {
  readonly connection: SshConnection;
  readonly log: Log;
  /** Names this run in the logs of others that meet it on the instance. */
  readonly run: string;
  /** Login name. */
  readonly user: string;
  readonly retention: Retention;
  /** When this run began, by its own clock; in seconds since 1970. */
  readonly begun: number;
}

/** The images on an instance. */
export interface Images {
  readonly facts: Facts;
  readonly contents: Contents;
}

/** The images of a registry as a target: those that no rule keeps go. */
export function imagesTarget(options: ImagesTargetOptions): Target<Images, InstanceStep> {
  const { connection, retention } = options;
  const factsArguments = [options.user, '', 'false'];
  const withContents = async (facts: Facts): Promise<Images> => ({
    facts,
    contents: await readContents(connection),
  });
  return {
    name: 'instance',
    read: async () => withContents((await readFacts(connection, factsArguments, () => undefined)).facts),
    isBusy: ({ facts }) => facts.lock.busy,
    wait: async () => withContents((await waitForTurn({ ...options, factsArguments })).facts),
    plan: (images) => stepsOf(planOf(images, options), images.contents, retention),
    async apply({ facts: { lock, clockAhead } }, plan) {
      const request = { ...options, plan, turn: lock.turn, factsArguments, compose: null, users: null };
      try {
        const { outdated, facts } = await applyPlan({ ...request, clockAhead });
        const state = await withContents(facts);
        const isDone = !outdated && state.contents.last?.outcome === 'done';
        return isDone ? { kind: 'applied', done: plan.steps, state } : { kind: 'outdated', state };
      } catch (error) {
        if (error instanceof SshConnectionLost) return { kind: 'lost', cause: error };
        throw error;
      }
    },
  };
}

/** What a prune would do now. */
export function planOf(
  { facts, contents }: Images,
  { retention, begun }: Pick<ImagesTargetOptions, 'retention' | 'begun'>,
): PrunePlan {
  return planPrune(retention, contents, Math.floor(begun + facts.clockAhead));
}

/** One step: what goes, goes together. */
function stepsOf(plan: PrunePlan, contents: Contents, { windowSeconds }: Retention): Plan<InstanceStep> {
  if (isNothingToPrune(plan)) return { steps: [], notes: plan.notes };
  const step = instanceStep(
    {
      kind: 'prune',
      lines: pruneLines(plan),
      readAt: contents.now,
      touchedSince: contents.now - TOUCHED_SECONDS,
      windowSeconds,
    },
    'images',
    wordsOf(contents),
    `${tagsThatGo(plan)} tags and ${formatBytes(plan.freedBytes)} less`,
    'no rule keeps them, or nothing needs them',
  );
  return { steps: [step], notes: plan.notes };
}

function wordsOf({ repositories, blobs }: Contents): string {
  const tags = repositories.reduce((sum, repository) => sum + repository.tags.size, 0);
  const bytes = [...blobs.values()].reduce((sum, each) => sum + each, 0);
  return `${tags} tags in ${repositories.length} repositories, ${formatBytes(bytes)}`;
}
