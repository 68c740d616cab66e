import type { Plan, Step } from '../converge/change';
import { ActionError } from '../values/errors';
import { lastLine, plain } from '../values/show';
import { buildxAdvice, byHand } from './by-hand';
import { insecureRegistries } from './daemon-json';
import { addForGood, type Claim, claim, type Files, type Liveness } from './ledger';
import type { Access, Registry, RunnerState } from './read';

/** One change of the runner; the files are worked out again when it is carried out, from what is there then. */
export interface RunnerStep extends Step {
  readonly kind: 'write' | 'claim' | 'reload';
}

/** What the run wants of the runner. */
export interface RunnerWish {
  readonly registry: Registry;
  /** This run's claim; null: the entry is to stay for good. */
  readonly claim: Claim | null;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * What has to change so that the runner's daemon accepts the registry: pure. Entries of runs that died are no reason
 * for a change of their own; they go whenever something is written.
 *
 * @throws ActionError `Runner daemon out of reach`, `No permission to configure the runner`, `Broken daemon.json`,
 * `Runner daemon has a conflicting flag`
 */
export function planRunner(state: RunnerState, wish: RunnerWish): Plan<RunnerStep> {
  const entry = entryOf(wish.registry);
  const notes = state.builders.length === 0 ? [] : [buildxAdvice(entry, state.builders)];
  const { access } = state;
  if (access === null) return { steps: [], notes };
  if (access.kind !== 'files') {
    if (state.accepted) return { steps: [], notes };
    throw outOfReach(access, entry);
  }

  const { files, daemon } = access;
  const wanted = wantedFiles(files, wish, livenessOf(access.alive, wish.now), !files.directoryExists);
  const before = insecureRegistries(files.file);
  const after = insecureRegistries(wanted.file);
  const steps: RunnerStep[] = [];
  if (!(before ?? []).includes(entry)) {
    const what = `insecure-registries of ${daemon.configFile}`;
    const change = { target: 'runner' as const, what, from: listOf(before), to: listOf(after) };
    steps.push({ kind: 'write', change: { ...change, why: `the registry ${entry} speaks plain HTTP` } });
  } else if (!state.accepted) {
    const what = `what the Docker daemon has loaded of ${daemon.configFile}`;
    const change = { target: 'runner' as const, what, from: 'an older version', to: 'the present version' };
    steps.push({ kind: 'reload', change: { ...change, why: `it lists ${entry}, and the daemon does not` } });
  } else if (wish.claim !== null && hasClaim(wanted, wish.claim) && !hasClaim(files, wish.claim)) {
    const change = { target: 'runner' as const, what: `use of ${entry} in ${daemon.configFile}`, from: null };
    const why = 'the run that added it would take it away while this one needs it';
    steps.push({ kind: 'claim', change: { ...change, to: 'shared with another run', why } });
  }
  return { steps, notes };
}

/** The entry of `insecure-registries` for a registry. */
export function entryOf({ host, port }: Registry): string {
  return `${host}:${port}`;
}

/** The files that the run wants, from those that are there. */
export function wantedFiles(
  files: Files,
  wish: RunnerWish,
  isAlive: Liveness,
  makesDirectory: boolean,
): Files {
  if (wish.claim === null) return addForGood(files, entryOf(wish.registry), isAlive);
  return claim(files, wish.claim, isAlive, makesDirectory);
}

/** A claim counts until it expires, and while its process lives where that is known. */
export function livenessOf(alive: ReadonlySet<number>, now: number): Liveness {
  return (other) => other.expires > now && (!other.process || alive.has(other.process.pid));
}

function hasClaim({ ledger }: Files, mine: Claim): boolean {
  return ledger?.claims.some(({ id, entry }) => id === mine.id && entry === mine.entry) ?? false;
}

function listOf(list: readonly string[] | null): string | null {
  return list === null ? null : JSON.stringify(list);
}

/** Why the daemon cannot be configured from here, and what to do by hand. */
function outOfReach(access: Exclude<Access, { kind: 'files' }>, entry: string): ActionError {
  const doing = `letting this runner's Docker daemon accept ${entry}`;
  const next = byHand(entry);
  switch (access.kind) {
    case 'broken':
      return new ActionError('Broken daemon.json', {
        doing: `${doing}, in ${access.daemon.configFile}`,
        happened: access.reason,
        next: 'Correct the file; dockerd itself would refuse it at its next start',
      });
    case 'no-permission':
      return new ActionError('No permission to configure the runner', {
        doing: `${doing}, in ${access.daemon.configFile}`,
        happened: 'the job runs neither as root nor with sudo without a password',
        next: `Allow one of the two, or do it by hand: ${next}`,
      });
    case 'flag':
      return new ActionError('Runner daemon has a conflicting flag', {
        doing,
        happened: 'it was started with --insecure-registry, beside which it refuses the same key in its file',
        next: `Add --insecure-registry=${entry} to its flags and restart it, or move the flags into ${access.daemon.configFile}`,
      });
    default:
      return new ActionError('Runner daemon out of reach', { doing, happened: whereIs(access), next });
  }
}

type Elsewhere = Exclude<Access, { kind: 'files' | 'broken' | 'no-permission' | 'flag' }>;

function whereIs(access: Elsewhere): string {
  switch (access.kind) {
    case 'not-linux':
      return `the runner's system is ${access.platform}, where only a person can configure Docker (in Docker Desktop: Settings, Docker Engine)`;
    case 'desktop':
      return 'it is Docker Desktop, whose daemon is configured in its own settings (Docker Engine)';
    case 'rootless':
      return 'it is rootless: its file is ~/.config/docker/daemon.json, and `systemctl --user reload docker` loads it';
    case 'not-docker':
      return 'what answers to `docker` is not Docker (Podman: set `insecure = true` for the registry in registries.conf)';
    case 'elsewhere':
      return 'it does not run on this machine, or the job runs in a container that only has its socket';
    case 'remote':
      return `it is on another machine (${plain(access.endpoint).replace(/\/\/[^@/]*@/, '//')})`;
    case 'no-daemon':
      return `it does not answer (${lastLine(access.message)})`;
  }
}
