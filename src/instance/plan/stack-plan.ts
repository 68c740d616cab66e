import { sha256 } from '../../values/digest';
import type { Facts } from '../facts/facts';
import type { ContainerFacts } from '../facts/stack';
import { type Stack, type StackService, stackOf } from '../stack/stack';
import { obtainSteps, whyToObtain } from './acme-plan';
import { certificateSteps } from './certificate-plan';
import { containerName, ourContainer, ourContainers } from './containers';
import { dataDirectorySteps, dataMarkSteps, dataPathOf } from './data-plan';
import type { Desired } from './desired';
import { subnetOf } from './network';
import { type HandOver, type InstanceStep, instanceStep, type ServiceEndpoint } from './steps';

/** The stack that is wanted on this instance. */
function wantedStack(desired: Desired, facts: Facts): Stack {
  return stackOf(desired.registry, {
    dataPath: dataPathOf(desired, facts),
    subnet: subnetOf(facts),
    ipv6: facts.network.ipv6,
    serverName: desired.tls.kind === 'none' ? null : desired.tls.names[0],
    logins: facts.users.wanted.length === 0 ? null : { anonymousPull: desired.registry.access.anonymousPull },
  });
}

/** The steps that give the instance its services. Pulling comes first: what fails there has changed nothing. */
export function stackSteps(desired: Desired, facts: Facts): InstanceStep[] {
  const stack = wantedStack(desired, facts);
  const files = fileSteps(stack, facts);
  const now = Date.now();
  const isFrontNew = isMadeAnew('front', stack, facts);
  const hasCertificate = whyToObtain(desired.tls, facts, now) === null;
  return [
    ...pullSteps(stack, facts),
    ...dataDirectorySteps(desired, facts),
    ...files,
    ...certificateSteps(desired.tls, facts, now),
    // The front reads the file that it is told of: it is there before, and goes after.
    ...(facts.users.wanted.length > 0 ? usersSteps(facts) : []),
    ...frontSteps(stack, facts, isFrontNew && (desired.tls.kind === 'acme' || hasOtherPorts(stack, facts))),
    ...(facts.users.wanted.length > 0 ? [] : usersSteps(facts)),
    ...containerSteps(stack, facts, files.length > 0, hasCertificate),
    ...obtainSteps(desired.tls, facts, now, { isFrontNew, endpoints: endpointsOf(stack.services) }),
    ...dataMarkSteps(desired, facts),
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
    const why = present === undefined ? 'it describes the services' : 'the settings differ';
    const from = present === undefined ? null : 'other content';
    return [instanceStep({ kind: 'write-file', path, content }, `file ${path}`, from, 'as asked for', why)];
  });
}

function usersSteps({ users: { present, wanted, differences, takesAccess } }: Facts): InstanceStep[] {
  if (differences.length === 0) return [];
  const names = (list: readonly string[]) =>
    list.length === 0 ? 'everybody, without a login' : list.join(', ');
  const { change, action } = instanceStep(
    { kind: 'write-users' },
    'logins',
    names(present),
    names(wanted),
    differences.join(', and '),
  );
  return [{ action, change: takesAccess ? { ...change, takesAccess } : change }];
}

/**
 * What the front is told: a front that runs takes it while transfers go on, another image is asked first.
 *
 * @param isForAnother a front that runs is not to take it: it would ask for a certificate from where no challenge comes in, or
 *   leave the port that it has for one that it does not get
 */
function frontSteps(
  { front: { path, content }, services }: Stack,
  facts: Facts,
  isForAnother: boolean,
): InstanceStep[] {
  const present = facts.files.get(path);
  const image = services.find(({ name }) => name === 'front')?.image ?? '';
  const made = ourContainer(facts, 'front')?.image;
  const isMade = made === image;
  const isSame = present === sha256(content);
  if (isSame && (isMade || made === undefined)) return [];
  const other = isSame ? `${image} is to take it` : 'the settings differ';
  return [
    instanceStep(
      { kind: 'configure-front', content, image: isMade && !isForAnother ? null : image },
      `front (${path})`,
      present === undefined ? null : isSame ? 'of another image' : 'other content',
      'configured as asked for',
      present === undefined ? 'it says what goes where' : other,
    ),
  ];
}

/** Whether the front publishes other ports than it is to. */
function hasOtherPorts({ services }: Stack, facts: Facts): boolean {
  const asked = new Set(ourContainer(facts, 'front')?.asked.map(({ port }) => port));
  const wanted = new Set(services.flatMap(({ ports }) => ports.map(({ published }) => published)));
  return asked.size !== wanted.size || [...wanted].some((port) => !asked.has(port));
}

/** Images that no container is made from yet. One that a container is made from is not looked up again. */
function pullSteps(stack: Stack, facts: Facts): InstanceStep[] {
  const missing = stack.services.filter(({ name, image }) => ourContainer(facts, name)?.image !== image);
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

function containerSteps(
  stack: Stack,
  facts: Facts,
  filesChange: boolean,
  hasCertificate: boolean,
): InstanceStep[] {
  const faults = stack.services.flatMap((service) => {
    const fault = faultOf(service, facts);
    return fault === null ? [] : [{ service, ...fault }];
  });
  const names = stack.services.map(({ name }) => name);
  const orphans = ourContainers(facts).filter(
    ({ name, service }) => !names.includes(service) || name !== containerName(service),
  );
  if (faults.length === 0 && orphans.length === 0 && !filesChange) return [];

  const from = [
    ...faults.map(({ service, state }) => `${service.name} ${state}`),
    ...orphans.map(({ name }) => `${name} present`),
  ];
  return [
    instanceStep(
      {
        kind: 'start-containers',
        endpoints: hasCertificate ? endpointsOf(stack.services) : withoutTls(endpointsOf(stack.services)),
        subnet: subnetOf(facts),
        stopFirst: inEachOthersWay(stack, facts),
        recreate: faults.filter((fault) => fault.recreate).map(({ service }) => service.name),
        handOver: handOverOf(stack, facts),
      },
      `containers ${names.join(', ')}`,
      from.length === 0 ? 'as before' : from.join('; '),
      `${names.join(' and ')} running`,
      reasonOf(faults, orphans),
    ),
  ];
}

/** A front that runs, before a registry that does, is replaced while transfers go on. */
function handOverOf(stack: Stack, facts: Facts): HandOver | null {
  const [front, registry] = [ourContainer(facts, 'front'), ourContainer(facts, 'registry')];
  const serves =
    front?.state === 'running' && registry?.state === 'running' && registry.health !== 'unhealthy';
  if (!serves || !isMadeAnew('front', stack, facts)) return null;
  const ports = stack.services.find(({ name }) => name === 'front')?.ports ?? [];
  return {
    ports: ports.map(({ published, loopback }) => ({ port: published, loopback })),
    endpoints: endpointsOf(stack.services),
  };
}

/** What answers where each service is well: `registry`, by `http` at port 5000, `/v2/`. */
export function endpointsOf(services: readonly Pick<StackService, 'name' | 'probe'>[]): ServiceEndpoint[] {
  return services.flatMap(({ name, probe }) =>
    probe === null ? [] : [{ service: name, scheme: probe.scheme, port: probe.port, path: probe.path }],
  );
}

/** A front without a certificate yet shows by a redirect, which it answers plain HTTP with, that it is there. */
function withoutTls(endpoints: readonly ServiceEndpoint[]): ServiceEndpoint[] {
  return endpoints.map((each) => ({ ...each, scheme: 'http' }));
}

/** Whether the container of a service is not there, or is made as another one. */
function isMadeAnew(name: string, { services }: Stack, facts: Facts): boolean {
  const service = services.find((each) => each.name === name);
  const container = ourContainer(facts, name);
  return service === undefined || container === undefined || differenceOf(service, container) !== null;
}

/** Services whose containers have a port that another service is to get. */
function inEachOthersWay({ services }: Stack, facts: Facts): string[] {
  return services.flatMap(({ name }) => {
    const has = (port: number) => ourContainer(facts, name)?.published.some((each) => each.port === port);
    const wanted = services.filter((other) => other.name !== name).flatMap(({ ports }) => ports);
    return wanted.some(({ published }) => has(published)) ? [name] : [];
  });
}

function reasonOf(faults: readonly { readonly why: string }[], orphans: readonly ContainerFacts[]): string {
  const reasons = new Set(faults.map(({ why }) => why));
  for (const { service, name } of orphans) {
    reasons.add(
      name === containerName(service) ? 'no web UI is asked for' : 'it is left from a run that was cut off',
    );
  }
  return reasons.size === 0 ? 'the compose file changes' : [...reasons].join(', and ');
}

interface Fault {
  readonly state: string;
  readonly why: string;
  /** Compose would leave the container as it is. */
  readonly recreate: boolean;
}

/** What is wrong with a service's container; null: nothing. */
function faultOf(service: StackService, facts: Facts): Fault | null {
  const container = ourContainer(facts, service.name);
  if (container === undefined) return { state: 'missing', why: 'it is to be running', recreate: false };
  return differenceOf(service, container) ?? idlenessOf(service, container, facts);
}

/** How a container is made otherwise than it should be; Compose makes such a one anew by itself. */
function differenceOf(service: StackService, container: ContainerFacts): Fault | null {
  if (container.image !== service.image) {
    return { state: `from ${container.image}`, why: `it is to be ${service.image}`, recreate: false };
  }
  const asked = container.asked.map(({ port }) => port);
  const missing = service.ports.find(({ published }) => !asked.includes(published));
  if (missing !== undefined) {
    const ports = [...new Set(asked)].join(', ');
    const state = `on port ${ports === '' ? 'none' : ports}`;
    return { state, why: `it is to be ${missing.published}`, recreate: false };
  }
  if (container.spec === service.spec) return null;
  return { state: 'with other settings', why: 'the settings differ', recreate: false };
}

/** Why a container that is made as it should be does not do its work. */
function idlenessOf(
  { name, ports, probe }: StackService,
  container: ContainerFacts,
  facts: Facts,
): Fault | null {
  const { state, health, exitCode, published } = container;
  if (state !== 'running') {
    const stuck = state === 'restarting' || state === 'dead' || state === 'paused';
    return {
      state: state === 'exited' ? `stopped (exit code ${exitCode})` : state,
      why: 'it is to be running',
      recreate: stuck,
    };
  }
  const hidden = ports.find(
    ({ published: port, loopback }) => !loopback && isHidden(published.filter((each) => each.port === port)),
  );
  if (hidden !== undefined) {
    return {
      state: `on port ${hidden.published} of the instance itself alone`,
      why: 'others are to reach it',
      recreate: true,
    };
  }
  // One that Docker does not call unhealthy may only be slow, and somebody may be using it: it is waited for.
  const recreate = health === 'unhealthy';
  if (probe !== null) {
    if ((facts.probes.get(name) ?? null) !== null) return null;
    return { state: 'not answering', why: 'nothing answers on its port', recreate };
  }
  const silent = [...facts.probes.values()].every((status) => status === null);
  return silent && recreate ? { state: 'unhealthy', why: 'nothing answers behind it', recreate } : null;
}

/** Published on no address that others reach. */
function isHidden(published: ContainerFacts['published']): boolean {
  return published.every(({ address }) => address.startsWith('127.') || address === '::1');
}
