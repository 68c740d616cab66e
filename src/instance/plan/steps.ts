import type { Change, Step } from '../../converge/change';

/** What carries out a change on the instance; each is a function `step_…` of scripts/. */
export type Action =
  | { readonly kind: 'repair-packages' }
  | { readonly kind: 'install-packages'; readonly packages: readonly string[] }
  /** As install-packages, and then the engine is running. */
  | { readonly kind: 'install-engine'; readonly packages: readonly string[] }
  | { readonly kind: 'remove-packages'; readonly packages: readonly string[] }
  | { readonly kind: 'install-keyring'; readonly url: string; readonly path: string }
  /** Fetches what apt's source of this repository has; where apt does not accept that, what `otherwise` says is done. */
  | {
      readonly kind: 'check-repository';
      readonly uri: string;
      readonly suite: string;
      readonly otherwise: RepositoryFiles;
    }
  | { readonly kind: 'write-file'; readonly path: string; readonly content: string }
  | { readonly kind: 'remove-file'; readonly path: string }
  /** A CA of the instance's own, which may sign for these names alone. */
  | { readonly kind: 'make-ca'; readonly names: readonly string[] }
  /** By that CA. */
  | { readonly kind: 'make-certificate'; readonly names: readonly string[] }
  /** PEM. */
  | { readonly kind: 'use-certificate'; readonly chain: string; readonly key: string }
  /**
   * Until the front has it. With `anew` the front is started again, by which it asks at once, rather than when it would by
   * itself; a front that was just made does.
   */
  | {
      readonly kind: 'obtain-certificate';
      readonly path: string;
      readonly anew: boolean;
      /** What must answer with it afterwards. */
      readonly endpoints: readonly ServiceEndpoint[];
    }
  /** The file with the logins, or none; what is in it is in no plan. */
  | { readonly kind: 'write-users' }
  /** Caddy's own file, which it loads where it runs; an image that it is to be made from has to take it first. */
  | { readonly kind: 'configure-front'; readonly content: string; readonly image: string | null }
  | { readonly kind: 'make-directory'; readonly path: string }
  /** The Compose plugin, fetched on the runner and sent along. */
  | { readonly kind: 'install-compose'; readonly path: string }
  | { readonly kind: 'start-engine' }
  | { readonly kind: 'add-group'; readonly group: string }
  /** Until it has loaded these mirrors. */
  | { readonly kind: 'reload-engine'; readonly mirrors: readonly string[] }
  | { readonly kind: 'add-to-group'; readonly user: string }
  | { readonly kind: 'pull-images'; readonly images: readonly string[] }
  | {
      readonly kind: 'start-containers';
      /** What must answer afterwards. */
      readonly endpoints: readonly ServiceEndpoint[];
      /** The network of the containers; null: as Docker chooses. */
      readonly subnet: string | null;
      /** Services whose containers have a port that another one is to get. */
      readonly stopFirst: readonly string[];
      /** Services whose containers are made anew although their settings are right. */
      readonly recreate: readonly string[];
      /** A front that runs is replaced; null: it is not. */
      readonly handOver: HandOver | null;
    }
  /**
   * Containers, network and configuration, and with `deleteData` the registry's data; an empty path: the named volume. With
   * `loginFollows` the configuration goes with the login, after it: a run that is cut off in between leaves something to do.
   */
  | {
      readonly kind: 'remove-stack';
      readonly deleteData: boolean;
      readonly dataPath: string;
      readonly loginFollows: boolean;
    }
  /** What planPrune says, in the lines of pruneLines; times in seconds since 1970. */
  | {
      readonly kind: 'prune';
      readonly lines: string;
      /** When it was read what is there. */
      readonly readAt: number;
      /** What was sent or asked for since then stays. */
      readonly touchedSince: number;
      readonly windowSeconds: number;
    }
  /** Puts a disk of that device name in the place of what is mounted there, with the data at `dataPath`. */
  | {
      readonly kind: 'mount-disk';
      readonly device: string;
      readonly mount: string;
      readonly dataPath: string;
    }
  /** A user of the instance that runs logged in as, and then the configuration, if there is any yet. */
  | { readonly kind: 'remove-login'; readonly login: string }
  /** Gives the registry's data an id; an empty path: the named volume. */
  | { readonly kind: 'mark-data'; readonly path: string };

/** Who takes the front's connections while it is replaced has these ports, and must answer here before. */
export interface HandOver {
  readonly ports: readonly { readonly port: number; readonly loopback: boolean }[];
  readonly endpoints: readonly ServiceEndpoint[];
}

/** Where a service answers on the instance, through the front. */
export interface ServiceEndpoint {
  readonly service: string;
  readonly scheme: 'http' | 'https';
  readonly port: number;
  readonly path: string;
}

/** What makes our own source of Docker's packages the only one of its repository. */
export interface RepositoryFiles {
  /** Files with other entries of it, and what is to be in them; null: nothing else is. */
  readonly replaced: readonly { readonly path: string; readonly content: string | null }[];
  readonly keyUrl: string;
  /** Where its key goes. */
  readonly keyring: string;
  /** Where the source goes, and what it says. */
  readonly sources: string;
  readonly content: string;
}

/** One change of the instance, with what carries it out. */
export interface InstanceStep extends Step {
  readonly change: Change;
  readonly action: Action;
}

/** Makes a step of the instance. */
export function instanceStep(
  action: Action,
  what: string,
  from: string | null,
  to: string | null,
  why: string,
): InstanceStep {
  return { change: { target: 'instance', what, from, to, why }, action };
}
