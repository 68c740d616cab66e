import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { LAB, LABS } from '../number.ts';
import { CHECKOUT } from './checkout.ts';
import type { HostNetwork } from './host-network.ts';

/** The engine that a lab started, for all labs of this host; without `pid` they use one that was running already. */
export interface EngineState {
  readonly enginePid?: number;
  /** Its data folder. */
  readonly dataRoot?: string;
  /** As it was before that engine was started. */
  readonly hostNetwork?: HostNetwork;
  /** The kernel's limit of before; absent where it was high enough. */
  readonly inotifyLimit?: string;
  /** Folders under /run that were not there before that engine was started. */
  readonly madeFolders?: readonly string[];
}

/** What runs for one lab; labs belong to checkouts, so this is outside of them. */
export interface LabState {
  /** The checkout that the lab belongs to. */
  readonly checkout: string;
  readonly cloudPid?: number;
  /** Of what the cloud server runs: it is started anew when this changes. */
  readonly cloudKey?: string;
}

/** Gone after a reboot of the host, like all that it describes. */
export const STATE_FOLDER = '/run/gcelab';
const ENGINE_FILE = `${STATE_FOLDER}/state.json`;

/** The state of a lab, of whatever checkout; null when it is not up. */
export function readLab(lab = LAB): LabState | null {
  return read<LabState>(labFile(lab));
}

/** Adds to this lab's state; it is up from then on, and belongs to this checkout. */
export function recordLab(news: Partial<LabState>): void {
  write(labFile(LAB), { ...readLab(), ...news, checkout: CHECKOUT });
}

export function forgetLab(lab: number): void {
  rmSync(labFile(lab), { force: true });
}

/** The labs that are up. */
export function labsUp(): number[] {
  return LABS.filter((lab) => readLab(lab) !== null);
}

/** The engine's state; null when no lab is up. */
export function readEngine(): EngineState | null {
  return read<EngineState>(ENGINE_FILE);
}

export function recordEngine(news: EngineState): void {
  write(ENGINE_FILE, { ...readEngine(), ...news });
}

/** Forgets the engine and whatever labs there are. */
export function forgetAll(): void {
  rmSync(STATE_FOLDER, { recursive: true, force: true });
}

function labFile(lab: number): string {
  return `${STATE_FOLDER}/lab-${lab}.json`;
}

function read<T>(file: string): T | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch {
    return null;
  }
}

function write(file: string, state: EngineState | LabState): void {
  mkdirSync(STATE_FOLDER, { recursive: true });
  writeFileSync(`${file}.new`, `${JSON.stringify(state, null, 2)}\n`);
  renameSync(`${file}.new`, file);
}
