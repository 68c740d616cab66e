import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { CHECKOUT } from './checkout.ts';
import type { HostNetwork } from './host-network.ts';

/** What runs on this host for the lab; there is one lab per machine, so this is outside of the checkout. */
export interface LabState {
  /** The checkout that the running lab belongs to. */
  readonly checkout: string;
  /** The engine that the lab started; absent when it uses one that was running already. */
  readonly enginePid?: number;
  /** As it was before that engine was started. */
  readonly hostNetwork?: HostNetwork;
  /** Folders under /run that were not there before that engine was started. */
  readonly madeFolders?: readonly string[];
  readonly cloudPid?: number;
  /** Of what the cloud server runs: it is started anew when this changes. */
  readonly cloudKey?: string;
}

/** Gone after a reboot of the host, like all that it describes. */
export const STATE_FOLDER = '/run/gcelab';
const FILE = `${STATE_FOLDER}/state.json`;

/** The running lab's state, of whatever checkout; null when there is none. */
export function readState(): LabState | null {
  try {
    return JSON.parse(readFileSync(FILE, 'utf8')) as LabState;
  } catch {
    return null;
  }
}

/** Adds to the state, which from then on belongs to this checkout. */
export function recordState(news: Partial<LabState>): void {
  mkdirSync(STATE_FOLDER, { recursive: true });
  const before = readState();
  const state = { ...before, ...news, checkout: CHECKOUT };
  writeFileSync(`${FILE}.new`, `${JSON.stringify(state, null, 2)}\n`);
  renameSync(`${FILE}.new`, FILE);
}

export function forgetState(): void {
  rmSync(STATE_FOLDER, { recursive: true, force: true });
}
