import * as v from 'valibot';
import { RESOURCE_NAME } from '../values/names';
import {
  formatReference,
  parseImage,
  parseReference,
  parseRegistryHost,
  parseTarget,
} from '../values/reference';
import {
  choice,
  count,
  days,
  duration,
  flag,
  jsonObject,
  parsed,
  port,
  snapshotSchedule,
  text,
  webAddress,
} from './kinds';

/** What is known of one setting; the tables of README, action.yml and the JSON Schema are held against it. */
export interface Setting {
  /** What a user may write, or, with `list`, one item of it. */
  readonly schema: v.GenericSchema<string, unknown>;
  /** Several values: separated by commas or newlines, or by newlines alone; in the config file also a list. */
  readonly list?: 'items' | 'lines';
  /** As a user would write it. */
  readonly default?: string;
  /** The modes that cannot do without it. */
  readonly required?: readonly Mode[];
  /** What to write instead of a value that is refused: the end of an error. */
  readonly use: string;
  /** For README, action.yml and editors; one or more whole sentences. */
  readonly meaning: string;
  /** Is never shown, and never taken from the config file. */
  readonly secret?: true;
  /** Stands in the step alone; secrets do as well. */
  readonly stepOnly?: true;
}

/** Of runs that bring a key of their own. */
export const DEFAULT_USER = 'registry-action';

export const MODES = [
  'deploy',
  'bootstrap',
  'push',
  'connect',
  'health-check',
  'prune',
  'backup',
  'teardown',
] as const;
export type Mode = (typeof MODES)[number];

const RESOURCE_RULE =
  'Use 1 to 63 lower-case letters, digits and hyphens, with a letter first and no hyphen last';
const TRUE_OR_FALSE = 'Use true or false';
const PORT_RULE = 'Use a number from 1 to 65535';
const NO_EXTRAS = 'without user, query or fragment';

/** C0 and C1 controls: what a title or a path never needs and a terminal or a log could obey. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const WITHOUT_CONTROLS = /^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$/;

/** A folder on the runner: below the workspace, or from the root. */
const FOLDER_RULE = 'Use the path of a folder, such as registry-backup, without ..';
const folder = v.pipe(
  v.string(),
  v.maxLength(1000, 'is no path of a folder'),
  v.regex(WITHOUT_CONTROLS, 'is no path of a folder'),
  v.check((path) => !path.split('/').includes('..'), 'is no path of a folder'),
);

/** Trees of the system itself, or that do not survive a restart, are no place for data. */
const DATA_PATH =
  /^(?!\/(bin|boot|dev|etc|lib|lib64|proc|root|run|sbin|sys|tmp|usr|var\/(run|tmp|lib\/docker))(\/|$))(\/[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)+$/;

/**
 * Every setting, in the order in which people read them. A setting without a default is absent where it is not given,
 * and its meaning says what that means.
 */
export const TABLE = {
  config: {
    schema: v.string(),
    stepOnly: true,
    use: 'Use the path of a YAML file inside the workspace, such as .github/registry.yml',
    meaning:
      'Path of a YAML file in the workspace, such as `.github/registry.yml`, with the same keys as these inputs, so that all workflows of one registry share one description. An input of the step wins over the file. Secrets are refused in it. The job checks out the repository before.',
  },
  mode: {
    schema: choice(MODES),
    default: 'deploy',
    use: `Use one of ${MODES.join(', ')}`,
    meaning:
      'What to do: `deploy` (set up the instance, then push), `bootstrap` (set up only), `push` (push only), `connect` (push nothing: admit this runner, trust the registry and log in, until the job ends), `health-check` (read everything, report problems and drift), `prune` (delete the images that no rule keeps, and give their disk space back), `backup` (take a snapshot of the disk with the images, or copy them to this runner) or `teardown` (take away what the action made).',
  },
  zone: {
    schema: text(RESOURCE_NAME),
    required: MODES,
    use: 'Use the name of a zone, such as europe-west1-b',
    meaning: 'Zone of the instance, for example `europe-west1-b`.',
  },
  instance: {
    schema: text(RESOURCE_NAME),
    required: MODES,
    use: RESOURCE_RULE,
    meaning: 'Name of the instance.',
  },
  image: {
    schema: parsed(parseReference),
    required: ['deploy', 'push'],
    use: 'Name one local image, such as app or app:1.0',
    meaning:
      'Local image to push, needed in the modes `deploy` and `push`, unless `restore-from` is there. It is pulled if it is not there. For a second image, use a second step.',
  },
  tags: {
    schema: v.string(),
    list: 'items',
    use: 'Use repository[:tag], or :tag for a tag of the image’s own name',
    meaning:
      'What to push it as, separated by commas or newlines: `repository[:tag]`, or `:tag` for a tag of the image’s own name; this registry’s own `host:port/` may stand in front. Without it, name and tag of `image`.',
  },
  verify: {
    schema: flag,
    default: 'true',
    use: TRUE_OR_FALSE,
    meaning: 'Pull the pushed image back and compare the digests.',
  },
  'dry-run': {
    schema: flag,
    default: 'false',
    use: TRUE_OR_FALSE,
    meaning:
      'Plan and report only; nothing is changed anywhere. Reading the instance needs `ssh-private-key` here, because putting a key of its own into the metadata would be a change.',
  },
  repair: {
    schema: flag,
    default: 'false',
    use: TRUE_OR_FALSE,
    meaning:
      'In `health-check`: mend what is wrong or has drifted, as a `bootstrap` would, prune a disk that fills by the rules that there are, and check again. Other modes take no notice.',
  },
  'keep-newest': {
    schema: count,
    use: 'Use a number, such as 10',
    meaning:
      'In `prune`: so many tags of each repository are kept, those that were pushed last. A tag is kept if any rule says so; without a rule nothing is deleted. `latest` is always kept, and so is what a kept image needs or what says something of it: parts of an index, signatures, SBOMs. `0` says that a repository may lose all it has.',
  },
  'keep-within': {
    schema: duration,
    use: 'Use a duration such as 30d, 12h or 2w',
    meaning: 'In `prune`: what was pushed within this time is kept, such as `30d`.',
  },
  'keep-tags': {
    schema: v.string(),
    list: 'items',
    use: 'Use globs and ranges of versions, such as v*, >=1.4',
    meaning:
      'In `prune`: tags that are kept, separated by commas or newlines: globs such as `v*`, and ranges of versions such as `>=1.4`.',
  },
  repositories: {
    schema: v.string(),
    list: 'lines',
    use: 'Use lines such as `team/* keep-newest=5 keep-within=30d keep-tags=v*,>=1.4`',
    meaning:
      'In `prune`: rules for some repositories in place of those above, one a line, such as `team/* keep-newest=5 keep-within=30d keep-tags=v*,>=1.4`; of several that fit, the first holds.',
  },
  'in-use': {
    schema: v.string(),
    list: 'items',
    use: 'Use sha256:…, or images with @sha256:…',
    meaning:
      'In `prune`: digests that are kept wherever they are, for images that are deployed by digest, separated by commas or newlines; an image may stand in front, `app@sha256:…`.',
  },
  'gc-window': {
    schema: duration,
    default: '10m',
    use: 'Use a duration such as 10m',
    meaning:
      'In `prune`: for how long pushes may be held while something is deleted, which takes a second or two. What does not come to its end within it is undone.',
  },
  'snapshot-schedule': {
    schema: snapshotSchedule,
    use: 'Use hourly, daily 04:00, weekly sunday 04:00 (UTC, on the hour), or none',
    meaning:
      'In `deploy` and `bootstrap`: when Google takes snapshots of the disk that holds the images: `hourly`, `daily 04:00`, `weekly sunday 04:00` (UTC, on the hour), or `none`. Which disk that is is found out. Without it, a schedule that there is stays as it is.',
  },
  'snapshot-keep-days': {
    schema: days,
    default: '14',
    use: 'Use a number of days, such as 14',
    meaning:
      'For so many days the snapshots of the schedule are kept, and those of `backup`; of these the newest always stays.',
  },
  'snapshot-before': {
    schema: flag,
    default: 'false',
    use: TRUE_OR_FALSE,
    meaning:
      'In `prune`: take a snapshot first, where something is to be deleted. Other modes take no notice.',
  },
  'data-disk-snapshot': {
    schema: text(RESOURCE_NAME),
    use: 'Use latest, or the name of a snapshot',
    meaning:
      'In `deploy` and `bootstrap`, with `data-path`: where the images come from. `latest`: where the disk with the images is lost, or empty, a new one is made from the newest snapshot of this instance’s images, and mounted there. The name of a snapshot: that is done once, also where there is other data; its disk is kept.',
  },
  'backup-to': {
    schema: choice(['snapshot', 'oci-layout']),
    default: 'snapshot',
    use: 'Use snapshot or oci-layout',
    meaning:
      'In `backup`: what the copy is. `snapshot`: a snapshot of the disk, in the project. `oci-layout`: an OCI image layout on this runner, with all that the registry serves, which Skopeo, crane and others read.',
  },
  'backup-path': {
    schema: folder,
    default: 'registry-backup',
    use: FOLDER_RULE,
    meaning:
      'With `backup-to: oci-layout`: the folder that it is written into, from the workspace. A layout of an earlier run in it is brought up to date; a download that was cut off goes on.',
  },
  'backup-repositories': {
    schema: text(/^[a-z0-9._/*?{},[\]!-]+$/, 'is no glob'),
    list: 'items',
    use: 'Use globs such as team/*, separated by commas or newlines',
    meaning:
      'With `backup-to: oci-layout`: repositories that are copied, as globs such as `team/*`, separated by commas or newlines. Without it, all.',
  },
  'restore-from': {
    schema: folder,
    use: FOLDER_RULE,
    meaning:
      'In `deploy` and `push`, in place of `image`: the folder of an OCI image layout, from the workspace, whose images are put into the registry, under their own names and digests. What is there already is not sent again.',
  },
  'restore-repository': {
    schema: parsed(parseTarget),
    use: 'Use repository[:tag], such as team/app',
    meaning:
      'With `restore-from`: where an image goes whose name in the layout says no repository: `repository`, or `repository:tag` for one without a name.',
  },
  'restore-overwrite': {
    schema: flag,
    default: 'false',
    use: TRUE_OR_FALSE,
    meaning:
      'With `restore-from`: tags that stand for another image now are moved to that of the layout. Without it they stay, and the run says which.',
  },
  'delete-data': {
    schema: flag,
    default: 'false',
    use: TRUE_OR_FALSE,
    meaning: 'In `teardown`: the images go too. They cannot be had back. Other modes take no notice.',
  },
  'project-id': {
    // https://cloud.google.com/resource-manager/docs/creating-managing-projects, with the old `domain:` prefix.
    schema: text(/^([a-z0-9.-]{1,63}:)?[a-z][-a-z0-9]{4,28}[a-z0-9]$/),
    use: 'Use the ID of a project, such as my-project-123',
    meaning: 'Project of the instance. Without it, the project of the credentials.',
  },
  'credentials-json': {
    schema: jsonObject,
    secret: true,
    use: 'Pass the whole key file or the whole external-account configuration, unchanged',
    meaning:
      'Service-account key or external-account configuration, as JSON or base64 of it. Without it, Application Default Credentials are used, as google-github-actions/auth leaves them.',
  },
  'access-token': {
    schema: text(/^[\x21-\x7e]+$/, 'it holds characters that no token has'),
    secret: true,
    use: 'Pass the token alone, on one line',
    meaning: 'A ready OAuth 2.0 access token, instead of credentials.',
  },
  route: {
    schema: choice(['direct', 'ssh']),
    default: 'direct',
    use: 'Use one of direct, ssh',
    meaning:
      'How this run reaches the registry: `direct`, or `ssh` (through its SSH connection, by a port of this runner’s loopback that lasts until the post step; no firewall rule, nothing of the runner’s daemon changed). With `ssh` and without CIDRs in `source-ranges`, the instance opens no port at all.',
  },
  'source-ranges': {
    schema: v.string(),
    list: 'items',
    use: 'Use `runner`, CIDRs, or both',
    meaning:
      'Who may reach the registry and the UI, a list separated by commas or newlines: `runner` is this runner’s address, opened for this run and closed in the post step; CIDRs are kept in the standing firewall rule. Without it, this runner is admitted and a standing rule stays as it is; `runner` alone says that there is none. With `route: ssh`, CIDRs alone; without it there is no standing rule.',
  },
  'firewall-rule': {
    schema: text(RESOURCE_NAME),
    use: RESOURCE_RULE,
    meaning: 'Name of the standing firewall rule. Without it, `<instance>-registry`.',
  },
  'target-tag': {
    schema: text(RESOURCE_NAME),
    use: RESOURCE_RULE,
    meaning: 'Network tag that ties the rule to this instance alone. Without it, `<instance>-registry`.',
  },
  'ssh-user': {
    // What the useradd of Debian takes by default (NAME_REGEX of adduser).
    schema: text(/^[a-z_][-a-z0-9_]{0,31}$/),
    default: DEFAULT_USER,
    use: 'Use a login name of at most 32 lower-case letters, digits, _ and -',
    meaning: 'Login name on the instance.',
  },
  'ssh-private-key': {
    schema: text(/^-----BEGIN [A-Z ]*PRIVATE KEY-----/, 'it is no private key in OpenSSH or PEM format'),
    secret: true,
    use: 'Pass the whole file, with its BEGIN and END lines',
    meaning:
      'Private key, in OpenSSH, PEM or PKCS#8 format and without a passphrase, that the instance accepts for `ssh-user`. Without it, an expiring ed25519 key is made for this run, put into the instance’s own metadata, and removed in the post step.',
  },
  'ssh-host-key': {
    schema: v.string(),
    list: 'lines',
    use: 'Use either keys or `unverified`',
    meaning:
      'Host key of the instance: known_hosts lines or SHA256 fingerprints. Without it, the host keys that the instance published as guest attributes. `unverified` accepts any host key, which lets anyone between the runner and the instance read and change everything that is sent.',
  },
  'ssh-port': { schema: port, default: '22', use: PORT_RULE, meaning: 'Port of the SSH server.' },
  'registry-host': {
    schema: parsed(parseRegistryHost),
    use: 'Use a DNS name or an address, without scheme, port and path',
    meaning:
      'Host name or address under which images are tagged and pulled. Without it, the external address of the instance.',
  },
  'registry-port': { schema: port, default: '5000', use: PORT_RULE, meaning: 'Port of the registry.' },
  'ui-port': {
    schema: port,
    default: '18080',
    use: PORT_RULE,
    meaning: 'Port of the web UI; it may be that of the registry.',
  },
  'registry-name': {
    schema: v.pipe(
      v.string(),
      v.maxLength(200, 'is no title'),
      v.regex(WITHOUT_CONTROLS, 'is no title'),
      v.check((title) => !/\p{Cs}/u.test(title), 'is no title'),
    ),
    use: 'Use one line of at most 200 characters, without control characters',
    meaning: 'Title in the web UI. Without it, `<instance> registry`.',
  },
  'registry-image': {
    schema: parsed(readImage),
    default: 'registry:3',
    use: 'Use an image reference, such as registry:3',
    meaning: 'Image of the registry; any mirror, tag or digest of `registry:3` or `registry:2`.',
  },
  ui: {
    schema: choice(['joxit', 'hyper', 'none']),
    default: 'joxit',
    use: 'Use one of joxit, hyper, none',
    meaning:
      'Web UI: `joxit` (joxit/docker-registry-ui), `hyper` (hyper/docker-registry-web, needs `registry:2`) or `none`.',
  },
  'ui-image': {
    schema: parsed(readImage),
    use: 'Use an image reference, such as joxit/docker-registry-ui:2.6.0',
    meaning: 'Image of the web UI, in place of the one that `ui` stands for.',
  },
  'front-image': {
    schema: parsed(readImage),
    default: 'caddy:2.11.9',
    use: 'Use an image reference, such as caddy:2.11.9',
    meaning:
      'Image of the front, which stands before registry and UI: any mirror, tag or digest of Caddy 2.11.5 or later.',
  },
  tls: {
    schema: choice(['none', 'private-ca', 'acme', 'certificate']),
    default: 'none',
    use: 'Use one of none, private-ca, acme, certificate',
    meaning:
      'How registry and UI speak TLS: `none` (plain HTTP), `private-ca` (by a CA that is made on the instance, and that the runner’s Docker trusts for this job), `acme` (by a certificate of Let’s Encrypt, for `registry-host` or the bare external address; port 80 is open to all for its challenges) or `certificate` (by the one that is given).',
  },
  'tls-certificate': {
    schema: text(/-----BEGIN /, 'it is no PEM'),
    stepOnly: true,
    use: 'Pass the certificate with those above it, as PEM',
    meaning:
      'With `tls: certificate`: the certificate, and those above it, as PEM in any order. With a root of your own among them, the runner’s Docker trusts that for this job.',
  },
  'tls-private-key': {
    schema: text(/-----BEGIN [A-Z ]*PRIVATE KEY-----/, 'it is no private key in PEM'),
    secret: true,
    use: 'Pass the whole file, with its BEGIN and END lines',
    meaning: 'With `tls: certificate`: its private key, as PEM and without a passphrase.',
  },
  'acme-email': {
    // It stands in the front's configuration as one word.
    schema: text(
      /^[A-Za-z0-9.!%&*+/=?^_|~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/,
      'is no address of mail',
    ),
    use: 'Use an address such as admin@example.com',
    meaning: 'With `tls: acme`: where the certificate authority may write to.',
  },
  'acme-directory': {
    schema: webAddress(['https:']),
    default: 'https://acme-v02.api.letsencrypt.org/directory',
    use: `Use an address such as https://acme-v02.api.letsencrypt.org/directory, ${NO_EXTRAS}`,
    meaning:
      'With `tls: acme`: the directory of the certificate authority; one that asks for a key of an account of its own (external account binding) cannot be used.',
  },
  username: {
    schema: v.string(),
    use: 'Use the name of a login',
    meaning:
      'Login with which this run pushes; the later steps of the job have it as well. In the modes `deploy` and `bootstrap` it is also made sure of, with the right to push. Needs `tls`, or `route: ssh` without CIDRs.',
  },
  password: {
    schema: v.string(),
    secret: true,
    use: 'Use at most 72 bytes',
    meaning: 'Password of `username`.',
  },
  users: {
    schema: v.string(),
    secret: true,
    use: 'Use `name:password` or `name:bcrypt-hash`, one a line',
    meaning:
      'Further logins that may push, `name:password` or `name:bcrypt-hash`, one a line; others go. `none`: there are no others. Without it, those that there are stay.',
  },
  readers: {
    schema: v.string(),
    secret: true,
    use: 'Use `name:password` or `name:bcrypt-hash`, one a line',
    meaning: 'The same for logins that may only pull.',
  },
  'anonymous-pull': {
    schema: flag,
    default: 'false',
    use: TRUE_OR_FALSE,
    meaning: 'Where there are logins: pulling an image whose name is known takes none.',
  },
  'docker-source': {
    schema: choice(['docker', 'distro']),
    default: 'docker',
    use: 'Use one of docker, distro',
    meaning:
      'Where Docker comes from on an instance that has none: `docker` (Docker’s own apt repository) or `distro` (the distribution’s packages).',
  },
  'docker-repository': {
    schema: webAddress(['https:']),
    default: 'https://download.docker.com/linux',
    use: `Use an address such as https://mirror.example.com/path, ${NO_EXTRAS}`,
    meaning: 'Base address of Docker’s apt repository, for mirrors of it.',
  },
  'registry-mirrors': {
    schema: webAddress(['https:', 'http:']),
    list: 'items',
    use: `Use addresses such as https://mirror.example.com, ${NO_EXTRAS}`,
    meaning: 'Docker Hub mirrors for the instance’s daemon, a list separated by commas or newlines.',
  },
  'compose-version': {
    schema: text(/^v2\.\d{1,4}\.\d{1,4}$/),
    default: 'v2.40.3',
    use: 'Use a release such as v2.40.3',
    meaning:
      'Release of Compose v2 for an instance whose package source has no Compose plugin. It is fetched on the runner, checked against the checksums of the release, and sent over the SSH connection.',
  },
  'compose-sha256': {
    schema: v.pipe(text(/^[0-9a-fA-F]{64}$/), v.toLowerCase()),
    use: 'Use 64 hexadecimal digits',
    meaning: 'SHA-256 of that file, to pin it.',
  },
  'data-path': {
    schema: v.pipe(
      v.string(),
      v.maxLength(255, 'is no directory for data'),
      v.regex(DATA_PATH, 'is no directory for data'),
    ),
    use: 'Use an absolute path outside the system’s own directories, of letters, digits and . _ @ + -, such as /mnt/registry',
    meaning:
      'Absolute directory on the instance for the registry’s data, for example on a mounted disk. Without it, the data stays where it is; on a new instance that is a named volume.',
  },
  'configure-runner': {
    schema: flag,
    default: 'true',
    use: TRUE_OR_FALSE,
    meaning:
      'Let this runner’s Docker daemon accept the registry (`insecure-registries`, or with TLS the certificate authority).',
  },
  'restore-runner': {
    schema: flag,
    default: 'true',
    use: TRUE_OR_FALSE,
    meaning: 'Put the daemon’s configuration back in the post step.',
  },
  'restart-runner': {
    schema: flag,
    default: 'false',
    use: TRUE_OR_FALSE,
    meaning:
      'Restart this runner’s Docker daemon, where a reload is not enough, also while containers run on it; that stops all of them, those of `services:` too.',
  },
  summary: { schema: flag, default: 'true', use: TRUE_OR_FALSE, meaning: 'Write a job summary.' },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof TABLE;

/** All names, in the order of the table. */
export const NAMES = Object.keys(TABLE) as SettingName[];

/** Those that are never shown, nor taken from a file of the repository. */
export const SECRETS: readonly SettingName[] = NAMES.filter((name) => settingOf(name).secret === true);

/** What is known of this setting. */
export function settingOf(name: SettingName): Setting {
  return TABLE[name];
}

/** Whether the config file may say it. */
export function mayStandInConfig(name: SettingName): boolean {
  const { secret, stepOnly } = settingOf(name);
  return secret !== true && stepOnly !== true;
}

function readImage(value: string): string {
  return formatReference(parseImage(value));
}
