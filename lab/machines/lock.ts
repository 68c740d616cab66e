import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { LabError } from './process.ts';

/** Beside that of `bin/lab up` and `down`, which is held before this one and never asked for under it. */
const FILE = '/run/lock/gcelab-cache';

let holder: Promise<() => void> | undefined;
let users = 0;

/**
 * Does work that writes what all labs of this host share, the cache, the images and the hub, while no other process
 * does. Within this process such works go on side by side, also one within another.
 *
 * @throws LabError when the lock cannot be had
 */
export async function alone<T>(work: () => Promise<T>): Promise<T> {
  users++;
  holder ??= hold();
  try {
    await holder;
    return await work();
  } finally {
    users--;
    if (users === 0) {
      const held = holder;
      holder = undefined;
      held.then((release) => release()).catch(() => {});
    }
  }
}

/** Held by a program that ends with its standard input, and so with this process, however that ends. */
function hold(): Promise<() => void> {
  mkdirSync(dirname(FILE), { recursive: true });
  return new Promise((done, fail) => {
    const child = spawn('flock', [FILE, 'sh', '-c', 'echo held; exec cat'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    child.on('error', (error) => fail(new LabError(`flock cannot be run: ${error.message}`)));
    child.on('close', (code) => fail(new LabError(`flock ${FILE} ended with status ${code}`)));
    child.stdout.once('data', () => done(() => child.stdin.end()));
  });
}
