import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

const PAUSE = join(__dirname, '../faults/pause/pause.sh');
/** As the action's script calls its steps; each command writes down that it was there. */
const SCRIPT = `
note() { printf '%s ' "$1" >>"$GCELAB_PAUSE/notes"; }
inner() { note "$1"; }
caller() { inner "$1"; }
step_whole() {
  note start
  inner first
  for each in one two; do inner "$each"; done
  inner piped | cat
  taken=$(inner substituted)
  while read -r each; do inner "$each"; done < <(inner process; echo read)
  caller last
}
step() {
  local function=$1 status
  shift
  (set -euo pipefail; "$function" "$@")
  status=$?
  note "end:$status"
}
plan() { step step_whole; }
plan
`;
const ALL = 'start first one two piped substituted process read last end:0';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pause-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const read = (name: string) =>
  existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8').trim() : null;

/** Runs the script; returns what it had done when it stood still, null where it never did, and in the end. */
async function run(command: string, turn = 't1'): Promise<{ stopped: string | null; ended: string | null }> {
  writeFileSync(join(folder, 'target'), `${turn} ${command} step_whole\n`);
  writeFileSync(join(folder, 'notes'), '');
  const before = read(`reached.${turn}`);
  const env = { PATH: process.env.PATH, BASH_ENV: PAUSE, GCELAB_PAUSE: folder };
  const child = spawn('bash', ['-c', SCRIPT], { env, stdio: 'ignore' });
  const end = new Promise<void>((resolve) => child.on('close', () => resolve()));
  let isOver = false;
  void end.then(() => {
    isOver = true;
  });
  let stopped: string | null = null;
  while (!isOver && stopped === null) {
    await sleep(5);
    if (before === null && read(`reached.${turn}`)) stopped = read('notes');
  }
  if (stopped !== null) writeFileSync(join(folder, `go.${turn}`), '');
  await end;
  return { stopped, ended: read('notes') };
}

test.each([
  ['the first command', '1', ''],
  ['one beyond the end, after the last', '1000000', ALL.replace(' end:0', '')],
  ['the first call of a function', 'inner', 'start'],
  ['a call in another function', 'caller/inner', ALL.replace(' last end:0', '')],
])('%s', async (_, command, stopped) => {
  expect(await run(command)).toEqual({ stopped, ended: ALL });
});

test('each command is come to, in functions, loops, pipelines and substitutions, and the script goes on', async () => {
  const places = new Set<string | null>();
  for (let command = 1; command <= 40; command += 1) {
    const { stopped, ended } = await run(String(command), `t${command}`);
    expect([command, ended]).toEqual([command, ALL]);
    places.add(stopped);
  }
  for (const place of ['start', 'start first', 'start first one', 'start first one two piped'])
    expect(places).toContain(place);
  expect(places).not.toContain(null);
});

test('a function that the step does not call: it does not stop', async () => {
  expect(await run('other')).toEqual({ stopped: null, ended: ALL });
});

test('a turn stops one run: the one after a kill goes on', async () => {
  writeFileSync(join(folder, 'reached.t1'), '1\n');
  expect(await run('1')).toEqual({ stopped: null, ended: ALL });
});
