import type { Plan, Step } from '../converge/change';
import { ActionError } from '../values/errors';
import { plain } from '../values/show';
import { hasMirrors, insecureRegistries } from './daemon-json';
import { forgetsOnReload } from './docker-info';
import { buildxAdvice, instructions, trustInstructions } from './instructions';
import type { FileAccess, Registry, RunnerState } from './read';
import { refusal } from './refusals';
import {
  addForGood,
  type Circumstances,
  type Claim,
  claim,
  type Files,
  implicitEntries,
  type Liveness,
  release,
} from './shared-use';

/** One change of the runner; the files are worked out again when it is carried out, from what is there then. */
export interface RunnerStep extends Step {
  readonly kind: 'write' | 'claim' | 'reload';
}

/** What the run wants of the runner. */
export interface RunnerWish {
  readonly registry: Registry;
  /** The daemon has to be told of the authority behind the registry's certificate. */
  readonly authority: boolean;
  /** This run's claim; null: the entry is to stay for good. */
  readonly claim: Claim | null;
  /** The daemon may be restarted while containers run. */
  readonly restart: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * What has to change so that the runner's daemon accepts the registry: pure. Entries of runs that died are no reason
 * for a change of their own; they go whenever something is written.
 *
 * @throws ActionError `Runner daemon out of reach`, `No permission to configure the runner`, `Broken daemon.json`,
 * `Runner daemon refuses its file`, `Runner daemon has a conflicting flag`, `Runner daemon needs a restart`
 */
export function planRunner(state: RunnerState, wish: RunnerWish): Plan<RunnerStep> {
  const entry = entryOf(wish.registry);
  const notes = notesOf(state, wish, entry);
  const { access } = state;
  if (access === null) return { steps: [], notes };
  if (access.kind !== 'files') {
    if (wish.authority) throw refusal(access, entry, trustInstructions(entry));
    if (state.accepted) return { steps: [], notes };
    throw refusal(access, entry);
  }
  if (state.unverified) return { steps: leftoverSteps(access, wish, entry), notes };

  const { files, daemon } = access;
  const wanted = wantedFiles(state, access, wish);
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
    const what = `${entry} in ${daemon.configFile}`;
    const change = { target: 'runner' as const, what, from: 'there until another run ends' };
    const why = 'another run of this machine added it, and takes it away at its end';
    steps.push({ kind: 'claim', change: { ...change, to: 'there until this run ends, too', why } });
  }
  if (!state.accepted) checkRestart(state, access, wish, entry);
  return { steps, notes };
}

/** What a run that died has left of the time before there was TLS: with it, the daemon would not look at the certificate. */
function leftoverSteps(access: FileAccess, wish: RunnerWish, entry: string): RunnerStep[] {
  const { files, daemon } = access;
  const before = insecureRegistries(files.file);
  const after = insecureRegistries(withoutDead(access, wish.now).file);
  if (!before?.includes(entry) || after?.includes(entry)) return [];
  const what = `insecure-registries of ${daemon.configFile}`;
  const change = { target: 'runner' as const, what, from: listOf(before), to: listOf(after) };
  return [{ kind: 'write', change: { ...change, why: `a run that died left ${entry} there` } }];
}

/** The files without what dead runs have left. */
export function withoutDead({ files, alive }: FileAccess, now: number): Files {
  return release(files, '', livenessOf(alive, now));
}

function notesOf({ builders, unverified }: RunnerState, { authority }: RunnerWish, entry: string): string[] {
  return [
    ...(builders.length === 0 ? [] : [buildxAdvice(entry, builders, authority)]),
    ...(unverified ? [`the daemon does not look at the certificate of ${entry}: ${UNVERIFIED}`] : []),
  ];
}

/** https://docs.docker.com/reference/cli/dockerd/#insecure-registries */
const UNVERIFIED =
  'it is among its insecure-registries, where it need not be any more; take it out of daemon.json, and reload the daemon';

/** A reload does harm, so that only a restart makes the daemon load its file. */
export function needsRestart({ info }: Pick<RunnerState, 'info'>, { files }: FileAccess): boolean {
  return info !== null && forgetsOnReload(info.serverVersion) && (info.hasMirrors || hasMirrors(files.file));
}

/** A restart that is not wanted is found out before anything is changed. */
function checkRestart(state: RunnerState, access: FileAccess, wish: RunnerWish, entry: string): void {
  const running = state.info?.runningContainers ?? 0;
  if (running === 0 || wish.restart || !needsRestart(state, access)) return;
  const version = plain(state.info?.serverVersion ?? '', 40);
  throw restartNeeded(
    entry,
    running,
    `Docker ${version} forgets all insecure registries when it reloads a file that has mirrors`,
  );
}

/** @param why what makes the restart necessary, as a clause */
export function restartNeeded(entry: string, running: number, why: string): ActionError {
  const containers = running === 1 ? 'one container runs' : `${running} containers run`;
  return new ActionError('Runner daemon needs a restart', {
    doing: `letting this runner's Docker daemon accept ${entry}`,
    happened: `${why}, and ${containers} that a restart would stop or cut off`,
    next: `Set \`restart-runner: true\` if that may be, update Docker, or do it when none runs: ${instructions(entry)}`,
  });
}

/** The entry of `insecure-registries` for a registry. */
export function entryOf({ host, port }: Registry): string {
  return `${host}:${port}`;
}

/** The files that the run wants, from those that are there. */
export function wantedFiles(
  { info }: Pick<RunnerState, 'info'>,
  { files, alive }: FileAccess,
  wish: RunnerWish,
): Files {
  const how: Circumstances = {
    isAlive: livenessOf(alive, wish.now),
    makesDirectory: !files.directoryExists,
    implicit: implicitEntries(info?.serverVersion ?? ''),
  };
  if (wish.claim === null) return addForGood(files, entryOf(wish.registry), how);
  return claim(files, wish.claim, how);
}

/** A claim counts until it expires, and while its process lives where that is known. */
export function livenessOf(alive: ReadonlySet<number>, now: number): Liveness {
  return (other) => other.expires > now && (!other.process || alive.has(other.process.pid));
}

function hasClaim({ record }: Files, mine: Claim): boolean {
  return record?.claims.some(({ id, entry }) => id === mine.id && entry === mine.entry) ?? false;
}

function listOf(list: readonly string[] | null): string | null {
  return list === null ? null : JSON.stringify(list);
}
