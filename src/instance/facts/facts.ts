import { ActionError } from '../../values/errors';
import { excerpt } from '../../values/show';
import { base64Text, type EngineFacts, engineShapes } from './engine';
import { count, fields, flag, list, type Shape, ShapeError, table, text } from './shape';
import { type StackFacts, stackShapes } from './stack';
import { NO_USERS, type UsersFacts } from './users';

export type { UnitFacts } from './engine';

/** The state of an instance, as scripts/facts.sh reads it. */
export interface Facts extends EngineFacts, StackFacts {
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
  readonly lock: {
    /** Names the run that changed the instance last, in a line that is new each time; empty since it was booted. */
    readonly turn: string;
    /** Another run was changing the instance while it was read. */
    readonly busy: boolean;
  };
  /** Made of what comes beside them: the hashes of passwords are in no facts. */
  readonly users: UsersFacts;
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

/** From the time of the instance, in seconds since the epoch. */
const clockAhead: Shape<number> = (value, path) => count(value, path) - Math.round(Date.now() / 1000);

const facts: Shape<Omit<Facts, 'users'>> = fields<{ [K in keyof Omit<Facts, 'users'>]: Facts[K] }>({
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
  lock: fields({ turn: text(), busy: flag }),
  ...stackShapes,
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
    return { ...facts(JSON.parse(document), ''), users: NO_USERS };
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

/** The file with the logins, from the line that the facts come with; null where the instance has none. */
export function parseUsersLine(output: string, marker: string): string | null {
  const prefix = `${marker}:users `;
  const line = output.split('\n').find((candidate) => candidate.startsWith(prefix));
  return line === undefined ? null : Buffer.from(line.slice(prefix.length), 'base64').toString('utf8');
}
