import { ActionError } from '../../values/errors';
import { excerpt } from '../../values/show';
import { base64Text, type EngineFacts, engineShapes } from './engine';
import { count, fields, flag, integer, list, nullable, type Shape, ShapeError, table, text } from './shape';

export type { UnitFacts } from './engine';

/** The state of an instance, as scripts/facts.sh reads it. */
export interface Facts extends EngineFacts {
  /** This runner's address, as the instance sees it. */
  readonly client: string;
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
  /** SHA-256 of the files that matter here and exist, by path. */
  readonly files: ReadonlyMap<string, string>;
  /** Text of some of them, by path. */
  readonly texts: ReadonlyMap<string, string>;
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

export interface ContainerFacts {
  readonly name: string;
  /** As it was asked for, `registry:3`. */
  readonly image: string;
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

const facts: Shape<Facts> = fields<{ [K in keyof Facts]: Facts[K] }>({
  client: text(64),
  clockAhead,
  arch: text(64),
  systemd: flag,
  os: fields({ id: text(), version: text(), codename: text(), name: text() }),
  user: text(),
  ...engineShapes,
  files: table(text()),
  texts: table(base64Text),
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
