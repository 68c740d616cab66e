import fc from 'fast-check';
import { dockerCli } from '../../../src/docker/docker';
import { parseFacts } from '../../../src/instance/facts/facts';
import { planInstance } from '../../../src/instance/plan/plan';
import { requireShell } from '../../../src/instance/remote/remote-shell';
import { stepFailed } from '../../../src/instance/remote/step-failed';
import type { Exec } from '../../../src/job/exec';
import { escapeMarkdown } from '../../../src/report/markdown';
import { loginRefused, noConnection } from '../../../src/ssh/connect-errors';
import { ActionError } from '../../../src/values/errors';
import { excerpt, lastLine, plain, show } from '../../../src/values/show';
import { expectSafe, hostileText } from '../../hostile-text';
import { BARE, DESIRED } from '../instance/example';

test.each([
  ['two\nlines', 'two lines'],
  ['\u001b[1;31mred\u001b[0m', 'red'],
  ['\u001b]8;;http://x\u0007link\u001b]8;;\u0007', 'link'],
  ['a\u0000b\u202ec', 'a b c'],
  ['half a \ud800 pair', 'half a pair'],
  [' ::error::x ##[debug]', ': :error::x # #[debug]'],
  ['x'.repeat(700), `…${'x'.repeat(600)}`],
])('excerpt of %j', (text, expected) => {
  expect(excerpt(text)).toBe(expected);
});

test('the last line, without a carriage return, a full stop and blank lines behind it', () => {
  expect(lastLine('one\r\ntwo.\r\n\n  \n')).toBe('two');
  expect(lastLine('')).toBe('');
});

test('nothing that is shown is longer than its limit, or does anything', () => {
  fc.assert(
    fc.property(hostileText, (text) => {
      expectSafe(show(text), 700);
      expectSafe(plain(text), 4001);
      expectSafe(excerpt(text), 601);
      expectSafe(lastLine(text), 301);
      expectSafe(escapeMarkdown(text), 40_000);
    }),
    { numRuns: 1000 },
  );
});

/** Each gives the error for something that an instance, a server or a daemon says. */
const SAYINGS: readonly ((text: string) => unknown)[] = [
  (text) =>
    stepFailed({ kind: 'start-engine' }, `title ${text}`, { step: 0, status: 1, lastLines: [text, text] }, 0),
  (text) => thrownBy(() => requireShell({ status: 1, signal: null, stdout: text, stderr: text })),
  (text) => thrownBy(() => requireShell({ status: 1, signal: null, stdout: '', stderr: `sudo: ${text}` })),
  (text) => thrownBy(() => parseFacts(`MARK ${text.replaceAll('\n', ' ')}`, 'MARK')),
  (text) =>
    thrownBy(() => parseFacts(`MARK ${JSON.stringify({ client: '', files: { [text]: 1 } })}`, 'MARK')),
  (text) => thrownBy(() => planInstance(DESIRED, { ...BARE, os: { ...BARE.os, id: text, name: text } })),
  (text) => thrownBy(() => planInstance(DESIRED, { ...BARE, arch: text })),
  (text) => {
    const listener = { address: text, port: DESIRED.registry.port, process: text };
    return thrownBy(() => planInstance(DESIRED, { ...BARE, listeners: [listener] }));
  },
  (text) => noConnection({ host: text, port: 22, user: 'x', policy: { kind: 'unverified' } }, text, 1),
  (text) => loginRefused({ host: text, port: 22, user: text, policy: { kind: 'unverified' } }, 1),
];

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

test.each(SAYINGS.map((saying) => [saying]))('an error is safe to print, whatever was said: %s', (saying) => {
  fc.assert(
    fc.property(hostileText, (text) => {
      const error = saying(text);
      expect(error).toBeInstanceOf(ActionError);
      expectSafe((error as ActionError).message, 4001);
    }),
  );
});

test("Docker's own errors are safe to print, whatever it says", async () => {
  await fc.assert(
    fc.asyncProperty(hostileText, fc.nat(1), async (text, status) => {
      const exec: Exec = async () => ({ status, signal: null, stdout: text, stderr: text });
      const error: unknown = await dockerCli(exec)
        .inspect('x')
        .catch((thrown: unknown) => thrown);
      if (error === null) return;
      expect(error).toBeInstanceOf(ActionError);
      expectSafe((error as ActionError).message, 4001);
    }),
  );
});
