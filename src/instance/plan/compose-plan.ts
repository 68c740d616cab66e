import { ActionError } from '../../values/errors';
import { excerpt } from '../../values/show';
import type { Facts } from '../facts/facts';
import { STACK_DIRECTORY } from '../stack/directory';
import type { Desired } from './desired';
import { composeRelease } from './desired';
import { type InstanceStep, instanceStep } from './steps';

/** Says which release of Compose was installed by us and, on a second line, where. */
export const COMPOSE_RELEASE_FILE = `${STACK_DIRECTORY}/compose-release`;

/** Where ours goes: before what packages bring. */
const COMPOSE_PLUGIN = '/usr/local/lib/docker/cli-plugins/docker-compose';
/** Where it goes when somebody else's file is there: `docker` looks here first, when it runs as root. */
const ROOT_COMPOSE_PLUGIN = '/root/.docker/cli-plugins/docker-compose';

/** Compose files have a `name` since then: https://github.com/compose-spec/compose-go/releases/tag/v1.1.0 */
const OLDEST = [2, 4] as const;

/** What is the matter with the file that `docker compose` runs. */
export type ComposeState = 'missing' | 'works' | 'other-release' | 'no-compose' | 'too-old';

export function composeState(desired: Desired, facts: Facts): ComposeState {
  const { compose } = facts;
  if (compose === null) return 'missing';
  const version = /^v?(\d+)\.(\d+)/.exec(compose.version);
  const record = ourRecord(facts);
  if (record?.path === compose.path) {
    return version !== null && record.release === composeRelease(desired.docker) ? 'works' : 'other-release';
  }
  if (version === null) return 'no-compose';
  const [major, minor] = [Number(version[1]), Number(version[2])];
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]) ? 'works' : 'too-old';
}

function ourRecord({ texts }: Facts): { release: string; path: string } | null {
  const text = texts.get(COMPOSE_RELEASE_FILE);
  if (text === undefined) return null;
  const [release = '', path = ''] = text.trim().split('\n');
  return { release, path: path === '' ? COMPOSE_PLUGIN : path };
}

/** Where the plugin is that a run has sent, if it is there; null: there is none. */
export function ourComposePlugin(facts: Facts): string | null {
  const record = ourRecord(facts);
  return record !== null && record.path === facts.compose?.path ? record.path : null;
}

/** Files of others are not touched: ours goes to a place where `docker` looks earlier. */
function placeOf(state: ComposeState, { compose }: Facts): string {
  if (compose === null || state === 'missing') return COMPOSE_PLUGIN;
  if (state === 'other-release') return compose.path;
  return compose.path === COMPOSE_PLUGIN ? ROOT_COMPOSE_PLUGIN : COMPOSE_PLUGIN;
}

/** @throws ActionError `Compose is not usable` for a file that is not ours, in the place where `docker` looks first */
export function requireComposePlace(desired: Desired, facts: Facts): void {
  const state = composeState(desired, facts);
  const { compose } = facts;
  if (compose?.path !== ROOT_COMPOSE_PLUGIN || (state !== 'no-compose' && state !== 'too-old')) return;
  throw new ActionError('Compose is not usable', {
    doing: 'looking for `docker compose` on the instance',
    happened: `${compose.path} ${state === 'no-compose' ? 'is no Compose of today (`version --short` says no version)' : `is Compose ${excerpt(compose.version)}, and ${OLDEST.join('.')} or later is needed`}; docker looks there first, and it is not this action's to replace`,
    next: `Remove it (\`sudo rm ${ROOT_COMPOSE_PLUGIN}\`), or put a Compose of today in its place`,
  });
}

/** The step that sends the Compose plugin. */
export function composeSteps(desired: Desired, facts: Facts): InstanceStep[] {
  const state = composeState(desired, facts);
  const path = placeOf(state, facts);
  const record = ourRecord(facts);
  const found = facts.compose;
  const [from, why] = {
    missing: [null, 'the package source of the engine has none'],
    'other-release': [record?.release ?? '', 'compose-version asks for another release'],
    'no-compose': [
      `${found?.path} is no Compose`,
      'a file of others stays where it is, and docker finds ours first',
    ],
    'too-old': [
      `${found?.version} (${found?.path})`,
      `${OLDEST.join('.')} or later is needed; that of others stays where it is, and docker finds ours first`,
    ],
    works: [null, ''],
  }[state] as [string | null, string];
  return [
    instanceStep(
      { kind: 'install-compose', path },
      `Compose plugin${path === COMPOSE_PLUGIN ? '' : ` in ${path}`}`,
      from,
      composeRelease(desired.docker),
      why,
    ),
  ];
}
