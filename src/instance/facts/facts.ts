import { ActionError } from '../../values/errors';
import { excerpt } from '../../values/show';
import { count, fields, flag, integer, list, nullable, type Shape, ShapeError, table, text } from './shape';

/** The state of an instance, as scripts/facts.sh reads it. */
export interface Facts {
  /** This runner's address, as the instance sees it. */
  readonly client: string;
  readonly sshPort: string;
  readonly bootId: string;
  /** Seconds that its clock is ahead of this runner's. */
  readonly clockAhead: number;
  /** `x86_64`, `aarch64`. */
  readonly arch: string;
  readonly systemd: boolean;
  readonly os: {
    readonly id: string;
    readonly version: string;
    readonly codename: string;
    readonly name: string;
  };
  readonly user: string;
  readonly userInDockerGroup: boolean;
  /** Path of the Docker CLI; empty without one. */
  readonly docker: string;
  /** Version of the engine that answers; empty when none does. */
  readonly engine: string;
  /** Mirrors that the engine has loaded; null where its file asks for none, or it does not answer. */
  readonly mirrors: readonly string[] | null;
  /** Path of the Compose plugin. */
  readonly composePlugin: string | null;
  /** docker.service, as systemd sees it; empty strings where it does not know. */
  readonly service: ServiceFacts;
  /** Versions of the packages that matter here and are installed, if only half, by name. */
  readonly packages: ReadonlyMap<string, string>;
  /** Packages that dpkg has not finished; `dpkg` stands for its own journal. */
  readonly brokenPackages: readonly string[];
  /** SHA-256 of the files that matter here and exist, by path. */
  readonly files: ReadonlyMap<string, string>;
  /** Docker's key for apt is there, and is whole. */
  readonly keyringWhole: boolean;
  /** Text of some of them, by path. */
  readonly texts: ReadonlyMap<string, string>;
  /** Files of apt, other than docker.sources, that have an entry for Docker's repository. */
  readonly aptEntries: readonly string[];
  readonly disks: readonly DiskFacts[];
  readonly data: DataFacts;
  /** Listeners on the ports of the registry and the UI. */
  readonly listeners: readonly {
    readonly address: string;
    readonly port: number;
    readonly process: string;
  }[];
  /** Docker translates addresses to its containers, but nothing lets such packets through: its rules were flushed. */
  readonly forwardingBlocked: boolean;
  /** HTTP status of `/v2/` and of the UI on this machine; null without an answer. */
  readonly registryStatus: number | null;
  readonly uiStatus: number | null;
  readonly lock: {
    /** Names the run that changed the instance last, in a line that is new each time; empty since it was booted. */
    readonly turn: string;
    /** Another run was changing the instance while it was read. */
    readonly busy: boolean;
  };
  /** The registry and the UI, running or not. */
  readonly containers: readonly ContainerFacts[];
  /** All containers that run. */
  readonly running: readonly {
    readonly name: string;
    readonly image: string;
    /** As `docker ps` prints them: `0.0.0.0:5000->5000/tcp`. */
    readonly ports: string;
    readonly project: string;
  }[];
}

export interface ServiceFacts {
  readonly load: string;
  readonly active: string;
  readonly enabled: string;
  readonly pid: string;
}

export interface ContainerFacts {
  readonly name: string;
  /** As it was asked for, `registry:3`. */
  readonly image: string;
  readonly imageId: string;
  /** created, running, paused, restarting, removing, exited, dead. */
  readonly state: string;
  /** starting, healthy, unhealthy. */
  readonly health: string | null;
  readonly exitCode: number;
  readonly restarts: number;
  readonly startedAt: string;
  readonly project: string;
  readonly service: string;
  readonly spec: string;
  /** Published ports of the host. */
  readonly ports: readonly number[];
  /** Where the data is on the host; null without a mount at /var/lib/registry. */
  readonly dataSource: string | null;
}

export interface DiskFacts {
  /** What is on it: `root`, `docker` (images and containers), `data` (the registry's images). */
  readonly name: string;
  readonly path: string;
  readonly mount: string;
  /** Bytes. */
  readonly size: number;
  readonly available: number;
  readonly inodes: number;
  readonly inodesAvailable: number;
}

/** Where the registry's data is, was, and is to be. */
export interface DataFacts {
  /** Directory of the last run; empty for the named volume, or when there was none. */
  readonly recorded: string;
  readonly recordedHoldsImages: boolean;
  /** Of the directory that is asked for now. */
  readonly wantedExists: boolean;
  readonly wantedHoldsImages: boolean;
  /** Directory of the named volume. */
  readonly volume: string;
  readonly volumeHoldsImages: boolean;
}

const portBindings: Shape<number[]> = (value, path) =>
  value === null
    ? []
    : [...table(nullable(list(fields({ HostPort: text(5) }))))(value, path).values()]
        .flatMap((bindings) => bindings ?? [])
        .map(({ HostPort }) => Number(HostPort))
        .filter((port) => Number.isInteger(port) && port > 0);

const dataSource: Shape<string | null> = (value, path) =>
  list(fields({ Source: text(), Destination: text() }))(value ?? [], path).find(
    ({ Destination }) => Destination === '/var/lib/registry',
  )?.Source ?? null;

const container: Shape<ContainerFacts> = (value, path) => {
  const read = fields({
    name: text(),
    image: text(),
    imageId: text(),
    state: text(),
    health: nullable(text()),
    exitCode: integer,
    restarts: count,
    startedAt: text(),
    project: text(),
    service: text(),
    spec: text(),
    ports: portBindings,
    mounts: dataSource,
  })(value, path);
  const { mounts, ...rest } = read;
  return { ...rest, name: rest.name.replace(/^\//, ''), dataSource: mounts };
};

/** From the time of the instance, in seconds since the epoch. */
const clockAhead: Shape<number> = (value, path) => count(value, path) - Math.round(Date.now() / 1000);

const optionalText: Shape<string> = (value, path) => (value === undefined ? '' : text()(value, path));

const base64Text: Shape<string> = (value, path) =>
  Buffer.from(text(100_000)(value, path), 'base64').toString('utf8');

const facts: Shape<Facts> = fields<{ [K in keyof Facts]: Facts[K] }>({
  client: text(64),
  sshPort: text(5),
  bootId: text(64),
  clockAhead,
  arch: text(64),
  systemd: flag,
  os: fields({ id: text(), version: text(), codename: text(), name: text() }),
  user: text(),
  userInDockerGroup: flag,
  docker: text(),
  engine: text(),
  mirrors: nullable(list(text())),
  composePlugin: nullable(text()),
  service: fields({ load: optionalText, active: optionalText, enabled: optionalText, pid: optionalText }),
  packages: table(text()),
  brokenPackages: list(text()),
  files: table(text()),
  keyringWhole: flag,
  texts: table(base64Text),
  aptEntries: list(text()),
  disks: list(
    fields({
      name: text(),
      path: text(),
      mount: text(),
      size: count,
      available: count,
      inodes: count,
      inodesAvailable: count,
    }),
  ),
  data: fields({
    recorded: text(),
    recordedHoldsImages: flag,
    wantedExists: flag,
    wantedHoldsImages: flag,
    volume: text(),
    volumeHoldsImages: flag,
  }),
  lock: fields({ turn: text(), busy: flag }),
  listeners: list(fields({ address: text(), port: count, process: text() })),
  forwardingBlocked: flag,
  registryStatus: nullable(count),
  uiStatus: nullable(count),
  containers: list(container),
  running: list(fields({ name: text(), image: text(), ports: text(100_000), project: text() })),
});

/**
 * Finds the facts in what an instance printed: on the line that begins with `marker`, whatever a banner or a
 * start-up file of the shell printed around it. The text is not trusted.
 *
 * @returns null when no line begins with the marker
 * @throws ActionError `Unexpected facts`
 */
export function parseFacts(output: string, marker: string): Facts | null {
  const line = output.split('\n').find((candidate) => candidate.startsWith(`${marker} `));
  if (line === undefined) return null;
  const document = line.slice(marker.length + 1);
  try {
    return facts(JSON.parse(document), '');
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof ShapeError)) throw error;
    throw new ActionError(
      'Unexpected facts',
      {
        doing: 'reading the state of the instance',
        happened:
          error instanceof ShapeError
            ? `in what it printed ${excerpt(error.message)}`
            : `what it printed is not JSON: ${excerpt(document)}`,
        next: 'Check that the programs of the instance (bash, docker, dpkg, systemctl) are the usual ones, and report this if they are',
      },
      { cause: error },
    );
  }
}
