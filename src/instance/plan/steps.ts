import type { Change, Step } from '../../converge/change';

/** What carries out a change on the instance; each is a function `step_…` of scripts/. */
export type Action =
  | { readonly kind: 'repair-packages' }
  | { readonly kind: 'install-packages'; readonly packages: readonly string[] }
  /** As install-packages, and then the engine is running. */
  | { readonly kind: 'install-engine'; readonly packages: readonly string[] }
  | { readonly kind: 'remove-packages'; readonly packages: readonly string[] }
  | { readonly kind: 'install-keyring'; readonly url: string; readonly path: string }
  | { readonly kind: 'disable-apt-entries'; readonly files: readonly string[] }
  | { readonly kind: 'write-file'; readonly path: string; readonly content: string }
  | { readonly kind: 'remove-file'; readonly path: string }
  | { readonly kind: 'make-directory'; readonly path: string }
  /** The Compose plugin, fetched on the runner and sent along. */
  | { readonly kind: 'install-compose' }
  | { readonly kind: 'start-engine' }
  /** Until it has loaded these mirrors. */
  | { readonly kind: 'reload-engine'; readonly mirrors: readonly string[] }
  | { readonly kind: 'add-to-group'; readonly user: string }
  | { readonly kind: 'pull-images'; readonly images: readonly string[] }
  | {
      readonly kind: 'start-containers';
      /** What must answer afterwards. */
      readonly endpoints: readonly {
        readonly service: string;
        readonly port: number;
        readonly path: string;
      }[];
      /** Services whose containers are made anew although their settings are right. */
      readonly recreate: readonly string[];
    };

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
