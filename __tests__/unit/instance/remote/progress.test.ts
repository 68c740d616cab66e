import { ProgressPrinter } from '../../../../src/instance/remote/progress';
import type { Log } from '../../../../src/job/log';

const settled = () => new Promise((resolve) => setImmediate(resolve));

function printer(...titles: string[]) {
  const lines: string[] = [];
  const log: Log = {
    info: (text) => lines.push(text.replace(/[\d.]+ s/, 'N s')),
    debug: () => undefined,
    notice: () => undefined,
    warning: () => undefined,
    mask: () => undefined,
    foreign: (text) => lines.push(`| ${text}`),
    async group(title, work) {
      lines.push(`> ${title}`);
      const result = await work();
      lines.push('<');
      return result;
    },
  };
  const progress = new ProgressPrinter('T', titles, log);
  return { lines, progress, printed: progress.print() };
}

test('prints each step as a group, as its lines arrive', async () => {
  const { lines, progress, printed } = printer('one', 'two');
  progress.push('banner');
  progress.push('T begin 0');
  progress.push('a');
  await settled();
  expect(lines).toEqual(['> one', '| a']);
  for (const line of ['', 'b', 'T-begin 1', 'T end 0 0', 'T begin 1', 'c', 'T end 1 0', 'T facts {}']) {
    progress.push(line);
  }
  progress.end();
  await printed;
  expect(lines).toEqual([
    '> one',
    '| a',
    '| b\nT-begin 1',
    'Done in N s',
    '<',
    '> two',
    '| c',
    'Done in N s',
    '<',
  ]);
  expect(progress.failure).toBeNull();
});

test('keeps the last lines of a step that failed', async () => {
  const { lines, progress, printed } = printer('one');
  progress.push('T begin 0');
  for (let line = 1; line <= 220; line++) progress.push(`line ${line}`);
  progress.push('T end 0 100');
  progress.end();
  await printed;
  expect(lines.slice(-2)).toEqual(['Failed after N s', '<']);
  expect(progress.failure).toMatchObject({ step: 0, status: 100 });
  expect(progress.failure?.lastLines).toHaveLength(200);
  expect(progress.failure?.lastLines.at(-1)).toBe('line 220');
});

test('knows how the front was replaced, and does not print the mark', async () => {
  const { lines, progress, printed } = printer('one');
  for (const line of ['T begin 0', 'a', 'T front away 1200', 'front handed-over', 'T end 0 0'])
    progress.push(line);
  progress.end();
  await printed;
  expect(lines).toEqual(['> one', '| a\nfront handed-over', 'Done in N s', '<']);
  expect(progress.front).toEqual({ kind: 'in-place', awayMs: 1200 });
});

test('ends a group that was cut off', async () => {
  const { lines, progress, printed } = printer('one');
  progress.push('T begin 0');
  progress.push('a');
  progress.end();
  await printed;
  expect(lines).toEqual(['> one', '| a', '<']);
  expect(progress.failure).toBeNull();
});

test('says that it waits for another run', async () => {
  const { lines, progress, printed } = printer();
  progress.push('T waiting u/1');
  progress.push('T locked');
  progress.end();
  await printed;
  expect(lines).toEqual(['Another run (u/1) is changing this instance: waiting for it to end, up to 15 min']);
  expect(progress).toMatchObject({ started: false, outdated: false, locked: true });
});
