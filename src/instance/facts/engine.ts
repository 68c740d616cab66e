import { fields, flag, list, nullable, type Shape, table, text } from './shape';

/** What scripts/facts-engine.sh reads of Docker on an instance. */
export interface EngineFacts {
  /** Path of the Docker CLI; empty without one. */
  readonly docker: string;
  /** Version of the engine that answers on /var/run/docker.sock; empty when none does. */
  readonly engine: string;
  /** Mirrors that the engine has loaded; null when none answers. */
  readonly mirrors: readonly string[] | null;
  /** Where Docker keeps images and volumes, without symbolic links or a slash at its end. */
  readonly dockerRoot: string;
  /** The file that `docker compose` runs; null without one. */
  readonly compose: ComposeFacts | null;
  /** docker.service. */
  readonly service: UnitFacts;
  /** Units of systemd that have to do with Docker, by name. */
  readonly units: ReadonlyMap<string, UnitFacts>;
  /** Versions of the packages that matter here and are installed, if only half, by name. */
  readonly packages: ReadonlyMap<string, string>;
  /** Packages that dpkg has not finished; `dpkg` stands for its own journal. */
  readonly brokenPackages: readonly string[];
  /** The kernel has AppArmor, and the program that gives it profiles is missing. */
  readonly lacksAppArmor: boolean;
  /** Texts of the files with apt's sources that may name Docker's repository, by path. */
  readonly aptSources: ReadonlyMap<string, string>;
  /** Keys for apt that are there, by path, and whether each is whole. */
  readonly aptKeys: ReadonlyMap<string, boolean>;
  /** Release files that apt has fetched and verified, by name. */
  readonly aptLists: readonly string[];
  /** There is a group docker. */
  readonly dockerGroup: boolean;
  readonly userInDockerGroup: boolean;
}

export interface ComposeFacts {
  readonly path: string;
  /** As `version --short` prints it; empty when it is no Compose. */
  readonly version: string;
}

/** As systemd sees a unit; empty strings where it does not know. */
export interface UnitFacts {
  readonly load: string;
  readonly active: string;
  readonly enabled: string;
}

const optionalText: Shape<string> = (value, path) => (value === undefined ? '' : text()(value, path));

/** A text that the instance sends in base64. */
export const base64Text: Shape<string> = (value, path) =>
  Buffer.from(text(100_000)(value, path), 'base64').toString('utf8');

const unit: Shape<UnitFacts> = fields({ load: optionalText, active: optionalText, enabled: optionalText });

export const engineShapes: { readonly [K in keyof EngineFacts]: Shape<EngineFacts[K]> } = {
  docker: text(),
  engine: text(),
  mirrors: nullable(list(text())),
  dockerRoot: text(),
  compose: nullable(fields({ path: text(), version: text(100) })),
  service: unit,
  units: table(unit),
  packages: table(text()),
  brokenPackages: list(text()),
  lacksAppArmor: flag,
  aptSources: table(base64Text),
  aptKeys: table(flag),
  aptLists: list(text()),
  dockerGroup: flag,
  userInDockerGroup: flag,
};
