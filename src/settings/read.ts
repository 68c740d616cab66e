import { ActionError } from '../values/errors';
import { defaultRuleName, defaultTargetTag, RESOURCE_NAME } from '../values/names';
import { parseRanges } from '../values/ranges';
import {
  formatReference,
  parseImage,
  parseReference,
  parseRegistryHost,
  parseTarget,
  targetOf,
} from '../values/reference';
import type {
  CredentialsInput,
  DockerInput,
  FirewallInput,
  Inputs,
  Mode,
  PushInput,
  RegistryInput,
  SshInput,
  VmInput,
} from './types';
import { choice, flag, type GetInput, list, matching, port, refuse, webAddress } from './values';

const RESOURCE_RULE =
  '1 to 63 lower-case letters, digits and hyphens, with a letter first and no hyphen last';

/** https://cloud.google.com/resource-manager/docs/creating-managing-projects, with the old `domain:` prefix. */
const PROJECT_ID = /^([a-z0-9.-]{1,63}:)?[a-z][-a-z0-9]{4,28}[a-z0-9]$/;

/** What the useradd of Debian takes by default (NAME_REGEX of adduser). */
const LOGIN = /^[a-z_][-a-z0-9_]{0,31}$/;

/** C0 and C1 controls: what a title or a path never needs and a terminal or a log could obey. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** Trees of the system itself, or that do not survive a restart. */
const SYSTEM_PATHS =
  /^\/(bin|boot|dev|etc|lib|lib64|proc|root|run|sbin|sys|tmp|usr|var\/(run|tmp|lib\/docker))(\/|$)/;

const UI_IMAGES = { joxit: 'joxit/docker-registry-ui:2.6.0', hyper: 'hyper/docker-registry-web:latest' };

/**
 * Reads every input of action.yml and checks each of them, before anything else is done.
 *
 * @throws ActionError `Invalid input`, naming the input; secrets are never shown.
 */
export function readInputs(get: GetInput): Inputs {
  const mode = choice<Mode>(get, 'mode', ['deploy', 'bootstrap', 'push', 'health-check']);
  const vm = readVm(get);
  const ssh = readSsh(get);
  const registry = readRegistry(get, vm.instance);
  checkPorts(registry, ssh);
  return {
    mode,
    dryRun: flag(get, 'dry-run'),
    credentials: readCredentials(get),
    vm,
    firewall: readFirewall(get, vm.instance),
    ssh,
    registry,
    docker: readDocker(get),
    push: mode === 'deploy' || mode === 'push' ? readPush(get, mode) : null,
    runner: { configure: flag(get, 'configure-runner'), restore: flag(get, 'restore-runner') },
    summary: flag(get, 'summary'),
  };
}

function readVm(get: GetInput): VmInput {
  return {
    project:
      matching(get, 'project-id', PROJECT_ID, 'the ID of a project, such as my-project-123', '') || null,
    zone: matching(get, 'zone', RESOURCE_NAME, 'the name of a zone, such as europe-west1-b'),
    instance: matching(get, 'instance', RESOURCE_NAME, RESOURCE_RULE),
  };
}

function readCredentials(get: GetInput): CredentialsInput {
  const text = get('credentials-json');
  const token = get('access-token');
  if (text !== '' && token !== '') {
    refuse('access-token', null, '`credentials-json` is set as well', 'Set only one of the two');
  }
  if (token !== '') {
    if (!/^[\x21-\x7e]+$/.test(token)) {
      refuse(
        'access-token',
        null,
        'it holds characters that no token has',
        'Pass the token alone, on one line',
      );
    }
    return { kind: 'access-token', token };
  }
  return text === '' ? { kind: 'adc' } : { kind: 'json', json: parseCredentials(text) };
}

function parseCredentials(text: string): Record<string, unknown> {
  for (const candidate of [text, Buffer.from(text, 'base64').toString('utf8')]) {
    try {
      const json: unknown = JSON.parse(candidate);
      if (typeof json === 'object' && json !== null && !Array.isArray(json)) return { ...json };
    } catch {
      // Not this form; the parser's message would show a part of the secret.
    }
  }
  return refuse(
    'credentials-json',
    null,
    'it is neither a JSON object nor base64 of one',
    'Pass the whole key file or the whole external-account configuration, unchanged',
  );
}

function readFirewall(get: GetInput, instance: string): FirewallInput {
  const isSaid = get('source-ranges') !== '';
  const sources = isSaid ? list(get, 'source-ranges') : ['runner'];
  if (sources.length === 0) {
    refuse('source-ranges', null, 'it names nobody', 'Use `runner`, CIDRs, or both');
  }
  return {
    rule: matching(get, 'firewall-rule', RESOURCE_NAME, RESOURCE_RULE, defaultRuleName(instance)),
    targetTag: matching(get, 'target-tag', RESOURCE_NAME, RESOURCE_RULE, defaultTargetTag(instance)),
    runner: sources.includes('runner'),
    ranges: isSaid ? parseRanges(sources.filter((source) => source !== 'runner')) : null,
  };
}

function readSsh(get: GetInput): SshInput {
  const key = get('ssh-private-key');
  if (key !== '' && !/^-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(key)) {
    refuse(
      'ssh-private-key',
      null,
      'it is no private key in OpenSSH or PEM format',
      'Pass the whole file, with its BEGIN and END lines',
    );
  }
  return {
    user: matching(get, 'ssh-user', LOGIN, 'a login name of at most 32 lower-case letters, digits, _ and -'),
    port: port(get, 'ssh-port'),
    privateKey: key === '' ? null : `${key}\n`,
    hostKey: readHostKey(get),
  };
}

function readHostKey(get: GetInput): SshInput['hostKey'] {
  const entries = get('ssh-host-key')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (entries.length === 0) return { kind: 'guest-attributes' };
  if (entries.length === 1 && entries[0] === 'unverified') return { kind: 'unverified' };
  if (entries.includes('unverified')) {
    refuse('ssh-host-key', null, '`unverified` stands beside keys', 'Use either keys or `unverified`');
  }
  return { kind: 'given', entries };
}

function readRegistry(get: GetInput, instance: string): RegistryInput {
  const host = get('registry-host');
  const ui = choice(get, 'ui', ['joxit', 'hyper', 'none'] as const);
  const image = formatReference(inputOf('registry-image', get, parseImage));
  if (ui === 'hyper' && /(^|\/)registry:3(\.|$)/.test(image)) {
    refuse(
      'ui',
      ui,
      'cannot show what registry 3 stores',
      'Use `registry-image: registry:2` with it, or `ui: joxit`',
    );
  }
  return {
    host: host === '' ? null : inputOf('registry-host', get, parseRegistryHost),
    port: port(get, 'registry-port'),
    uiPort: port(get, 'ui-port'),
    title: readTitle(get, instance),
    image,
    ui,
    uiImage: ui === 'none' ? null : readUiImage(get, UI_IMAGES[ui]),
    dataPath: readDataPath(get),
  };
}

function readUiImage(get: GetInput, fallback: string): string {
  return get('ui-image') === '' ? fallback : formatReference(inputOf('ui-image', get, parseImage));
}

function readTitle(get: GetInput, instance: string): string {
  const title = get('registry-name') || `${instance} registry`;
  if (title.length > 200 || CONTROL.test(title) || /\p{Cs}/u.test(title)) {
    refuse(
      'registry-name',
      title,
      'is no title',
      'Use one line of at most 200 characters, without control characters',
    );
  }
  return title;
}

function readDataPath(get: GetInput): string | null {
  const path = get('data-path');
  if (path === '') return null;
  const plain = /^(\/[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)+$/.test(path) && path.length <= 255;
  if (!plain || SYSTEM_PATHS.test(path)) {
    refuse(
      'data-path',
      path,
      'is no directory for data',
      'Use an absolute path outside the system’s own directories, of letters, digits and . _ @ + -, such as /mnt/registry',
    );
  }
  return path;
}

/** Two services cannot listen on one port of the instance. */
function checkPorts({ port, uiPort, ui }: RegistryInput, ssh: SshInput): void {
  const next = 'Give each its own port';
  if (port === ssh.port) refuse('registry-port', String(port), 'is the port of SSH', next);
  if (ui === 'none') return;
  if (uiPort === ssh.port) refuse('ui-port', String(uiPort), 'is the port of SSH', next);
  if (uiPort === port) refuse('ui-port', String(uiPort), 'is the port of the registry', next);
}

function readDocker(get: GetInput): DockerInput {
  const repository = get('docker-repository');
  const sha256 = matching(get, 'compose-sha256', /^[0-9a-f]{64}$/i, '64 hexadecimal digits', '');
  return {
    source: choice(get, 'docker-source', ['docker', 'distro'] as const),
    repository: webAddress('docker-repository', repository, ['https:']),
    mirrors: list(get, 'registry-mirrors').map((mirror) =>
      webAddress('registry-mirrors', mirror, ['https:', 'http:']),
    ),
    compose: {
      version: matching(get, 'compose-version', /^v2\.\d{1,4}\.\d{1,4}$/, 'a release such as v2.40.3'),
      sha256: sha256 === '' ? null : sha256.toLowerCase(),
    },
  };
}

function readPush(get: GetInput, mode: Mode): PushInput {
  if (get('image') === '') {
    refuse(
      'image',
      null,
      `it is empty, and the mode \`${mode}\` pushes an image`,
      'Name the local image to push',
    );
  }
  const image = inputOf('image', get, parseReference);
  const wanted = list(get, 'tags').map((item) => convert('tags', item, parseTarget));
  const targets = wanted.length > 0 ? wanted : [targetOf(image)];
  const seen = new Map(targets.map((target) => [`${target.path}:${target.tag}`, target]));
  return { image, targets: [...seen.values()], verify: flag(get, 'verify') };
}

function inputOf<T>(name: string, get: GetInput, parse: (text: string) => T): T {
  return convert(name, get(name), parse);
}

/** Puts the name of the input in front of what the parser has to say. */
function convert<T>(name: string, value: string, parse: (text: string) => T): T {
  try {
    return parse(value);
  } catch (error) {
    if (error instanceof ActionError) throw error;
    return refuse(name, value, error instanceof Error ? error.message : 'is not valid', 'Correct it');
  }
}
