import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fc from 'fast-check';
import { endProcess, markOf, runs, startIn } from '../../../src/job/process';

test.each([
  ['a process', '42 (node) S 1 42 42 0 -1 4194304 1 0 0 0 1 1 0 0 20 0 11 0 8765 1 1', '8765'],
  ['a name that looks like the rest', '42 (a) S 1) R 1 1 1 0 -1 4 1 0 0 0 1 1 0 0 20 0 1 0 99 1', '99'],
  [
    'one that has ended, and that nobody has taken note of',
    '42 (node) Z 1 42 42 0 -1 4 1 0 0 0 1 1 0 0 20 0 1 0 8765 1',
    null,
  ],
  ['nothing', '', null],
])('the start of %s', (_, stat, start) => {
  expect(startIn(stat)).toBe(start);
});

test('whatever a process is called, its start is found', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(), (name, start) => {
      const stat = `7 (${name}) S 1 7 7 0 -1 4 1 0 0 0 1 1 0 0 20 0 1 0 ${start} 1`;
      expect(startIn(stat)).toBe(String(start));
    }),
  );
});

describe('ending', () => {
  const script = (text: string) => {
    const child = spawn(process.execPath, [
      '-e',
      `${text}; console.log('ready'); setInterval(() => {}, 1000)`,
    ]);
    return once(child.stdout, 'data').then(() => child);
  };

  test('a process that does as it is told', async () => {
    const child = await script('');
    const mark = markOf(Number(child.pid));
    expect(runs(mark)).toBe(true);
    expect(await endProcess(mark)).toBe(true);
    expect(runs(mark)).toBe(false);
    expect(await endProcess(mark)).toBe(true);
  });

  test('one that does not', async () => {
    const child = await script("process.on('SIGTERM', () => {})");
    expect(await endProcess(markOf(Number(child.pid)), { gentleMs: 100 })).toBe(true);
    expect(child.signalCode ?? (await once(child, 'exit'))[1]).toBe('SIGKILL');
  });

  test('never another one that has its id', async () => {
    const child = await script('');
    expect(await endProcess({ pid: Number(child.pid), started: '1' })).toBe(true);
    expect(child.kill(0)).toBe(true);
    child.kill('SIGKILL');
  });
});
