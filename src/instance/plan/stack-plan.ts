import { sha256 } from '../../values/digest';
import type { ContainerFacts, Facts } from '../facts/facts';
import { type Service, type Stack, stackOf } from '../stack/stack';
import type { Desired } from './desired';
import { type InstanceStep, instanceStep } from './steps';

/** The steps that give the instance its registry and UI. Pulling comes first: what fails there has changed nothing. */
export function stackSteps(desired: Desired, facts: Facts): InstanceStep[] {
  const stack = stackOf(desired.registry);
  const files = fileSteps(stack, facts);
  return [
    ...directorySteps(desired, facts),
    ...pullSteps(stack, facts),
    ...files,
    ...containerSteps(stack, facts, files.length > 0),
  ];
}

function directorySteps({ registry }: Desired, { data }: Facts): InstanceStep[] {
  if (registry.dataPath === null || data.wantedExists) return [];
  const action = { kind: 'make-directory', path: registry.dataPath } as const;
  return [
    instanceStep(action, `directory ${registry.dataPath}`, null, '', "data-path is the registry's data"),
  ];
}

function fileSteps(stack: Stack, facts: Facts): InstanceStep[] {
  return Object.entries(stack.files).flatMap(([path, content]) => {
    const present = facts.files.get(path);
    if (content === null) {
      if (present === undefined) return [];
      return [
        instanceStep({ kind: 'remove-file', path }, `file ${path}`, '', null, 'no web UI is asked for'),
      ];
    }
    if (present === sha256(content)) return [];
    const why = present === undefined ? 'it describes the registry and its UI' : 'the settings differ';
    const from = present === undefined ? null : 'other content';
    return [instanceStep({ kind: 'write-file', path, content }, `file ${path}`, from, 'as asked for', why)];
  });
}

/** Only what no container runs yet: an image that is there under its name is not looked up again. */
function pullSteps(stack: Stack, facts: Facts): InstanceStep[] {
  const missing = stack.services.filter(({ name, image }) => containerOf(facts, name)?.image !== image);
  const images = [...new Set(missing.map(({ image }) => image))];
  if (images.length === 0) return [];
  return [
    instanceStep(
      { kind: 'pull-images', images },
      `images ${images.join(', ')}`,
      null,
      'pulled',
      `no container of ${missing.map(({ name }) => name).join(' or ')} is made from ${images.length === 1 ? 'it' : 'them'}`,
    ),
  ];
}

function containerSteps(stack: Stack, facts: Facts, filesChange: boolean): InstanceStep[] {
  const faults = stack.services.flatMap((service) => {
    const fault = faultOf(service, facts);
    return fault === null ? [] : [{ service, ...fault }];
  });
  const names = stack.services.map(({ name }): string => name);
  const orphans = facts.containers.filter(({ service }) => !names.includes(service));
  if (faults.length === 0 && orphans.length === 0 && !filesChange) return [];

  const from = [
    ...faults.map(({ service, state }) => `${service.name} ${state}`),
    ...orphans.map(({ service }) => `${service} present`),
  ];
  const recreate = faults.filter((fault) => fault.recreate).map(({ service }) => service.name);
  const endpoints = stack.services.map(({ name, port }) => ({
    service: name,
    port,
    path: name === 'registry' ? '/v2/' : '/',
  }));
  return [
    instanceStep(
      { kind: 'start-containers', endpoints, recreate },
      `containers ${names.join(', ')}`,
      from.length === 0 ? 'as before' : from.join('; '),
      `${names.join(' and ')} running`,
      reasonOf(faults, orphans),
    ),
  ];
}

function reasonOf(faults: readonly { readonly why: string }[], orphans: readonly ContainerFacts[]): string {
  const reasons = new Set(faults.map(({ why }) => why));
  if (orphans.length > 0) reasons.add('no web UI is asked for');
  return reasons.size === 0 ? 'the compose file changes' : [...reasons].join(', and ');
}

interface Fault {
  readonly state: string;
  readonly why: string;
  /** Compose would leave the container as it is. */
  readonly recreate: boolean;
}

/** What is wrong with a service's container; null: nothing. */
function faultOf(service: Service, facts: Facts): Fault | null {
  const container = containerOf(facts, service.name);
  if (container === undefined) return { state: 'missing', why: 'it is to be running', recreate: false };
  if (container.image !== service.image) {
    return { state: `from ${container.image}`, why: `it is to be ${service.image}`, recreate: false };
  }
  if (!container.ports.includes(service.port)) {
    const ports = container.ports.join(', ');
    return {
      state: `on port ${ports === '' ? 'none' : ports}`,
      why: `it is to be ${service.port}`,
      recreate: false,
    };
  }
  if (container.spec !== service.spec) {
    return { state: 'with other settings', why: 'the settings differ', recreate: false };
  }
  if (container.state !== 'running') {
    const stuck =
      container.state === 'restarting' || container.state === 'dead' || container.state === 'paused';
    return {
      state: container.state === 'exited' ? `stopped (exit code ${container.exitCode})` : container.state,
      why: 'it is to be running',
      recreate: stuck,
    };
  }
  const status = service.name === 'registry' ? facts.registryStatus : facts.uiStatus;
  if (status === null) return { state: 'not answering', why: 'nothing answers on its port', recreate: true };
  return null;
}

function containerOf(facts: Facts, service: string): ContainerFacts | undefined {
  return facts.containers.find((container) => container.service === service);
}
