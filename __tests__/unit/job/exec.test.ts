import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childEnvironment, localCommands } from '../../../src/job/exec';

const { exec } = localCommands({ PATH: process.env.PATH, INPUT_TOKEN: 'secret' });
const sh = (script: string, options: { stdin?: string; timeoutMs?: number; keepBytes?: number } = {}) => {
  const lines: string[] = [];
  const onLine = (line: string) => void lines.push(line);
  return exec('sh', ['-c', script], { timeoutMs: 5000, onLine, ...options }).then((result) => ({
    ...result,
    lines,
  }));
};

/** One that has ended stays a zombie (Z) until its parent has noticed. */
function isRunning(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

test('hands over input, and returns status and output', async () => {
  const result = await sh('cat; printf "b\\nc" >&2; exit 3', { stdin: 'a\n' });
  expect(result).toMatchObject({ status: 3, signal: null, stdout: 'a\n', stderr: 'b\nc' });
  expect(result.lines.toSorted()).toEqual(['a', 'b', 'c']);
});

test.each([{}, { stdin: 'x' }])('with %j a command that is not there does not throw', async (input) => {
  const result = await exec('no-such-command', [], { timeoutMs: 1000, ...input });
  expect(result).toMatchObject({ status: null, signal: 'ENOENT' });
});

test.each([{}, { stdin: 'x' }])('with %j a command that takes too long is ended', async (input) => {
  expect(await sh('exec sleep 60', { timeoutMs: 50, ...input })).toMatchObject({
    status: null,
    signal: 'SIGTERM',
  });
});

test.each([{}, { stdin: 'x' }])(
  'with %j what a command started is ended with it, though it minds no SIGTERM and holds the pipe',
  async (input) => {
    const began = Date.now();
    const result = await sh("trap '' TERM; sh -c 'trap \"\" TERM; echo $$; while :; do sleep 1; done'", {
      timeoutMs: 300,
      ...input,
    });
    expect(result).toMatchObject({ status: null, signal: 'SIGKILL' });
    expect(Date.now() - began).toBeLessThan(5000);
    expect(isRunning(Number(result.lines[0]))).toBe(false);
  },
);

test('neither `timeout` nor /proc is needed', async () => {
  const bin = mkdtempSync(join(tmpdir(), 'bin-'));
  symlinkSync('/bin/sh', join(bin, 'sh'));
  // As BusyBox, which has no long options, and Windows, where it waits for a key.
  writeFileSync(join(bin, 'timeout'), '#!/bin/sh\necho "timeout: unrecognized option" >&2; exit 1\n', {
    mode: 0o755,
  });
  const commands = localCommands({ PATH: bin });
  const options = { timeoutMs: 300 };
  expect(await commands.exec('sh', ['-c', 'echo here'], options)).toMatchObject({
    status: 0,
    stdout: 'here\n',
  });
  const endless = await commands.exec('sh', ['-c', 'while :; do :; done'], options);
  expect(endless).toMatchObject({ status: null, signal: 'SIGTERM' });
  rmSync(bin, { recursive: true });
});

test('a command line that the system refuses does not throw', async () => {
  expect(await exec('true', ['\0'], { timeoutMs: 1000 })).toMatchObject({ status: null });
  expect(await exec('true', ['x'.repeat(4 << 20)], { timeoutMs: 1000 })).toMatchObject({
    status: null,
    signal: 'E2BIG',
  });
});

test('without input, status and output are returned as well', async () => {
  const result = await sh('echo a; printf "b\\nc" >&2; exit 3');
  expect(result).toMatchObject({ status: 3, signal: null, stdout: 'a\n', stderr: 'b\nc' });
  expect(result.lines.toSorted()).toEqual(['a', 'b', 'c']);
});

test('a command that does not read its input does no harm, and only the end of its output is kept', async () => {
  const result = await sh('echo 1234567890', { stdin: 'x'.repeat(1 << 20), keepBytes: 4 });
  expect(result.stdout).toBe('890\n');
});

test('children see nothing that was for this action alone', async () => {
  expect((await sh('env')).stdout).not.toContain('secret');
  const names = [
    'INPUT_X',
    'STATE_y',
    'ACTIONS_ID_TOKEN_REQUEST_TOKEN',
    'GITHUB_TOKEN',
    'GITHUB_SHA',
    'DOCKER_HOST',
  ];
  expect(childEnvironment(Object.fromEntries(names.map((name) => [name, 'x'])))).toEqual({
    GITHUB_SHA: 'x',
    DOCKER_HOST: 'x',
  });
});

test('when the step is cancelled, commands are ended but for those that change the machine', async () => {
  const commands = localCommands({ PATH: process.env.PATH });
  const long = commands.exec('sleep', ['60'], { timeoutMs: 60_000 });
  const changing = commands.exec('sh', ['-c', 'cat; sleep 1; echo done'], { stdin: '', timeoutMs: 5000 });
  await new Promise((resolve) => setTimeout(resolve, 300));
  await commands.end();
  expect(await changing).toMatchObject({ status: 0, stdout: 'done\n' });
  expect((await long).status).not.toBe(0);
  const started = commands.exec('true', [], { timeoutMs: 1000 }).then(() => 'started');
  expect(await Promise.race([started, changing.then(() => 'not started')])).toBe('not started');
});
