import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { arch, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { helloProgram } from '../hello.ts';

test('the program prints its text and ends with 0', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hello-'));
  try {
    const text = `Hello from Docker!\n${'long '.repeat(5_000)}\n`;
    writeFileSync(join(folder, 'hello'), helloProgram(text, arch()), { mode: 0o755 });
    expect(execFileSync(join(folder, 'hello'), { encoding: 'utf8' })).toBe(text);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('for arm64 the code loads address and length of the text', () => {
  const program = helloProgram('Hello', 'arm64');
  expect(program.readUInt16LE(18)).toBe(183);
  const words = Array.from({ length: 9 }, (_, number) => program.readUInt32LE(120 + 4 * number));
  const address = 0x400000 + 120 + 36;
  expect(words.slice(0, 4)).toEqual([
    0xd2800020, // movz x0, 1
    0xd2800001 + (address & 0xffff) * 32, // movz x1, low half
    0xf2a00001 + (address >> 16) * 32, // movk x1, high half, lsl 16
    0xd2800002 + 5 * 32, // movz x2, 5
  ]);
  expect(program.subarray(156).toString()).toBe('Hello');
});

test('another architecture is refused', () => {
  expect(() => helloProgram('Hello', 'mips')).toThrow('mips');
});
