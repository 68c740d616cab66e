import { CHALLENGE_PORT } from '../values/challenge-port';
import { defaultRuleName, defaultTargetTag } from '../values/names';
import { parseRanges } from '../values/ranges';
import { show } from '../values/show';
import { readAccess } from './access';
import { readConfigFile } from './config-file';
import { parseConfig } from './config-text';
import { type AllGiven, type GetInput, givenInStep, inputPlace, refuse } from './given';
import { readBackup, readRestore } from './layout';
import { readRetention } from './retention';
import { readSnapshots } from './snapshots';
import { readTags } from './tags';
import { readTls } from './tls';
import type {
  CredentialsSettings,
  DockerSettings,
  FirewallSettings,
  Mode,
  PushSettings,
  RegistrySettings,
  RouteSettings,
  Settings,
  SshSettings,
} from './types';
import { type Item, Values } from './values';

const UI_IMAGES = { joxit: 'joxit/docker-registry-ui:2.6.0', hyper: 'hyper/docker-registry-web:latest' };

/**
 * Reads all settings, from the step's inputs and, below them, the config file, and checks each of them, before anything
 * else is done.
 *
 * @param workspace GITHUB_WORKSPACE, where the config file is
 * @throws ActionError `Invalid input`, or of the config file, naming the setting; secrets are never shown.
 */
export function readSettings(get: GetInput, workspace: string | undefined): Settings {
  const values = new Values(readGiven(get, workspace));
  const mode = values.get('mode');
  const vm = {
    project: values.get('project-id'),
    zone: values.required('zone', mode),
    instance: values.required('instance', mode),
  };
  const ssh = readSsh(values);
  const route = values.get('route');
  const firewall = readFirewall(values, vm.instance, route);
  const registry = readRegistry(values, mode, vm.instance, isLoopbackEnough(route, firewall));
  checkPorts(values, registry, ssh);
  const restore = readRestore(values, mode, workspace);
  const pushes = (mode === 'deploy' || mode === 'push') && restore === null;
  const { push, warnings } = pushes ? readPush(values, mode, registry) : { push: null, warnings: [] };
  return {
    mode,
    dryRun: values.get('dry-run'),
    repair: values.get('repair'),
    deleteData: values.get('delete-data'),
    credentials: credentialsOf(values),
    vm,
    route,
    firewall,
    ssh,
    registry,
    docker: readDocker(values),
    push,
    restore,
    backup: readBackup(values, workspace),
    runner: {
      configure: values.get('configure-runner'),
      restore: values.get('restore-runner'),
      restart: values.get('restart-runner'),
    },
    retention: readRetention(values),
    snapshots: readSnapshots(values),
    summary: values.get('summary'),
    warnings,
  };
}

/** What the step says stands above what the file says. */
function readGiven(get: GetInput, workspace: string | undefined): AllGiven {
  const step = givenInStep(get);
  const path = step.get('config')?.text;
  if (path === undefined) return step;
  const file = path.length > 100 || /[^\x20-\x7e]/.test(path) ? show(path) : path;
  return new Map([...parseConfig(readConfigFile(path, workspace), file), ...step]);
}

/**
 * The credentials of the step's inputs: all that the post step reads of them.
 *
 * @throws ActionError `Invalid input`
 */
export function readCredentials(get: GetInput): CredentialsSettings {
  return credentialsOf(new Values(givenInStep(get, ['credentials-json', 'access-token'])));
}

function credentialsOf(values: Values): CredentialsSettings {
  if (values.has('credentials-json') && values.has('access-token')) {
    const place = inputPlace('access-token');
    refuse({ text: null, place }, '`credentials-json` is set as well', 'Set only one of the two');
  }
  const token = values.get('access-token');
  if (token !== null) return { kind: 'access-token', token };
  const json = values.get('credentials-json');
  return json === null ? { kind: 'adc' } : { kind: 'json', json };
}

/** Nobody but runs is to reach the registry, and those come through SSH. */
function isLoopbackEnough(route: RouteSettings, { ranges }: FirewallSettings): boolean {
  return route === 'ssh' && ranges?.length === 0;
}

function readFirewall(values: Values, instance: string, route: RouteSettings): FirewallSettings {
  const sources = values.get('source-ranges');
  const names = {
    rule: values.get('firewall-rule') ?? defaultRuleName(instance),
    targetTag: values.get('target-tag') ?? defaultTargetTag(instance),
  };
  if (sources === null)
    return { ...names, runner: route === 'direct', ranges: route === 'direct' ? null : [] };
  const { place } = values.written('source-ranges');
  if (sources.length === 0) refuse({ text: null, place }, 'it names nobody', 'Use `runner`, CIDRs, or both');
  const runner = sources.some(({ value }) => value === 'runner');
  if (runner && route === 'ssh') {
    const next = 'Leave `runner` out, and name CIDRs alone, or nobody; or set `route: direct`';
    refuse({ text: null, place }, 'it names `runner`, who comes through SSH (`route: ssh`)', next);
  }
  return { ...names, runner, ranges: readRanges(sources, place) };
}

function readRanges(sources: readonly Item<'source-ranges'>[], place: string): string[] {
  const ranges = sources.filter(({ value }) => value !== 'runner');
  for (const { value, written } of ranges) parseRanges([value], written.place);
  return parseRanges(
    ranges.map(({ value }) => value),
    place,
  );
}

function readSsh(values: Values): SshSettings {
  const key = values.get('ssh-private-key');
  return {
    user: values.get('ssh-user'),
    port: values.get('ssh-port'),
    privateKey: key === null ? null : `${key}\n`,
    hostKey: readHostKey(values),
  };
}

function readHostKey(values: Values): SshSettings['hostKey'] {
  const entries = (values.get('ssh-host-key') ?? [])
    .map(({ value }) => value)
    .filter((line) => !line.startsWith('#'));
  if (entries.length === 0) return { kind: 'guest-attributes' };
  if (entries.length === 1 && entries[0] === 'unverified') return { kind: 'unverified' };
  if (entries.includes('unverified')) {
    const { place } = values.written('ssh-host-key');
    refuse({ text: null, place }, '`unverified` stands beside keys', 'Use either keys or `unverified`');
  }
  return { kind: 'given', entries };
}

function readRegistry(values: Values, mode: Mode, instance: string, loopback: boolean): RegistrySettings {
  const ui = values.get('ui');
  const tls = readTls(values, mode, Date.now());
  const image = values.get('registry-image');
  if (ui === 'hyper' && /(^|\/)registry:3(\.|$)/.test(image)) {
    refuse(
      values.written('ui'),
      'cannot show what registry 3 stores',
      'Use `registry-image: registry:2` with it, or `ui: joxit`',
    );
  }
  return {
    host: values.get('registry-host'),
    port: values.get('registry-port'),
    uiPort: values.get('ui-port'),
    loopback,
    title: values.get('registry-name') ?? `${instance} registry`,
    image,
    frontImage: values.get('front-image'),
    ui,
    uiImage: ui === 'none' ? null : (values.get('ui-image') ?? UI_IMAGES[ui]),
    dataPath: values.get('data-path'),
    tls,
    access: readAccess(values, tls, loopback),
  };
}

/** The front serves registry and UI on one port as well, but SSH has its own. */
function checkPorts(values: Values, { port, uiPort, ui, tls }: RegistrySettings, ssh: SshSettings): void {
  const next = 'Give each its own port';
  const taken = [
    ['registry-port', port],
    ...(ui === 'none' ? [] : [['ui-port', uiPort] as const]),
    ['ssh-port', ssh.port],
  ] as const;
  for (const [name, each] of tls.kind === 'acme' ? taken : []) {
    if (each !== CHALLENGE_PORT) continue;
    refuse(
      values.written(name),
      'is where the challenges of `tls: acme` come to',
      'Use another port, such as 443',
    );
  }
  if (port === ssh.port) refuse(values.written('registry-port'), 'is the port of SSH', next);
  if (ui === 'none') return;
  if (uiPort === ssh.port) refuse(values.written('ui-port'), 'is the port of SSH', next);
}

function readDocker(values: Values): DockerSettings {
  return {
    source: values.get('docker-source'),
    repository: values.get('docker-repository'),
    mirrors: (values.get('registry-mirrors') ?? []).map(({ value }) => value),
    compose: { version: values.get('compose-version'), sha256: values.get('compose-sha256') },
  };
}

function readPush(
  values: Values,
  mode: Mode,
  registry: RegistrySettings,
): { push: PushSettings; warnings: readonly string[] } {
  const written = values.written('image');
  const names = written.text.split(/[,\s]+/).filter((name) => name !== '');
  if (names.length > 1) {
    const next = 'Name one image in a step; a second step, with the same settings, pushes the second one';
    refuse(written, `names ${names.length} images`, next);
  }
  const image = values.required('image', mode);
  const items = (values.get('tags') ?? []).map((item) => item.written);
  const { targets, warnings } = readTags(items, image, registry);
  return { push: { image, targets, verify: values.get('verify') }, warnings };
}
