import type { Plan } from '../../converge/change';
import type { Facts } from '../facts/facts';
import { STACK_DIRECTORY } from '../stack/directory';
import { ourComposePlugin } from './compose-plan';
import { ourContainers } from './containers';
import { type InstanceStep, instanceStep } from './steps';

/** What a teardown takes besides what the action put there to run the registry. */
export interface Teardown {
  /** The images too. */
  readonly deleteData: boolean;
  /** The login of runs, made with their keys; null: it is somebody's. */
  readonly login: string | null;
}

/**
 * Removes the stack, its configuration, the Compose plugin that was sent, and the login of the runs. Docker stays, with its
 * packages and their source: other things may use it; and so does the registry's data, unless it is to go.
 */
export function planTeardown({ deleteData, login }: Teardown, facts: Facts): Plan<InstanceStep> {
  const steps = [
    ...engineSteps(deleteData, facts),
    ...pluginSteps(facts),
    ...stackSteps(deleteData, facts, login !== null),
  ];
  // Each login makes it anew, so it is nothing by itself.
  if (login === null || steps.length === 0) return { steps, notes: notesOf(deleteData, facts) };
  const why = 'runs logged in with it, by keys that ended with them';
  const step = instanceStep({ kind: 'remove-login', login }, `user ${login}`, 'present', null, why);
  return { steps: [...steps, step], notes: notesOf(deleteData, facts) };
}

/** Containers are removed by an engine that runs. */
function engineSteps(deleteData: boolean, facts: Facts): InstanceStep[] {
  const isDown = facts.docker !== '' && facts.engine === '';
  if (!isDown || stackSteps(deleteData, facts, false).length === 0) return [];
  const why = 'what it runs and keeps is removed through it';
  return [instanceStep({ kind: 'start-engine' }, 'docker.service', facts.service.active, 'active', why)];
}

function pluginSteps(facts: Facts): InstanceStep[] {
  const path = ourComposePlugin(facts);
  if (path === null) return [];
  const what = `Compose plugin ${path}`;
  return [
    instanceStep({ kind: 'remove-file', path }, what, 'sent by a run', null, 'the registry is torn down'),
  ];
}

function stackSteps(deleteData: boolean, facts: Facts, loginFollows: boolean): InstanceStep[] {
  const containers = ourContainers(facts).map(({ service }) => service);
  const present = [
    ...(containers.length === 0 ? [] : [`containers ${containers.join(', ')}`]),
    ...(hasFiles(facts) ? [STACK_DIRECTORY] : []),
    ...(deleteData && hasData(facts) ? ['all images'] : []),
  ];
  if (present.length === 0) return [];
  const change = instanceStep(
    { kind: 'remove-stack', deleteData, dataPath: facts.data.recorded.path, loginFollows },
    'the registry',
    present.join(', '),
    null,
    deleteData ? 'teardown with delete-data' : 'teardown; the images stay',
  );
  return [{ ...change, change: { ...change.change, takesAccess: true } }];
}

function hasFiles({ files, data }: Facts): boolean {
  return data.identity !== null || [...files.keys()].some((path) => path.startsWith(`${STACK_DIRECTORY}/`));
}

function hasData({ data }: Facts): boolean {
  return data.volume.ready || (data.recorded.path !== '' && data.recorded.ready);
}

function notesOf(deleteData: boolean, facts: Facts): string[] {
  const { recorded, volume } = facts.data;
  const at = recorded.path === '' ? volume : recorded;
  return [
    ...(deleteData || !at.ready ? [] : [`the images stay in ${at.path}; \`delete-data: true\` removes them`]),
    ...(facts.docker === '' ? [] : ['Docker stays, with its packages and their source']),
  ];
}
