import { expect, test } from '@jest/globals';
import { LogCommands } from '../github/log-commands.ts';

function log(...lines: string[]): { shown: (string | null)[]; commands: LogCommands } {
  const commands = new LogCommands(false);
  return { shown: lines.map((line) => commands.line(line)), commands };
}

test('a masked value is masked from then on, also its lines and its forms in JSON, URLs and base64', () => {
  const { shown } = log(
    '::add-mask::two%0Alines "x"',
    'two',
    'lines "x"',
    'lines \\"x\\"',
    'lines%20%22x%22',
    'bGluZXMgIngi',
  );
  expect(shown).toEqual(['::add-mask::***', '***', '***', '***', '***', '***']);
});

test('a longer secret is masked before a shorter one that is part of it', () => {
  expect(log('::add-mask::abc', '::add-mask::abcdef', 'xabcdefx abcx').shown[2]).toBe('x***x ***x');
});

test('annotations have level, title and message, unescaped', () => {
  const { shown, commands } = log(
    '  ::error title=A%3A b%2C c,file=x.ts::it failed%0Atwice: 100%25',
    '::warning::look',
    'x ##[notice title=T]n',
  );
  expect(shown).toEqual(['##[error]it failed\ntwice: 100%', '##[warning]look', '##[notice]n']);
  expect(commands.annotations).toEqual([
    { level: 'error', title: 'A: b, c', message: 'it failed\ntwice: 100%' },
    { level: 'warning', message: 'look' },
    { level: 'notice', title: 'T', message: 'n' },
  ]);
});

test('between stop-commands and its token nothing is a command, but masks hold', () => {
  const { shown, commands } = log(
    '::add-mask::secret',
    '::stop-commands::t0ken',
    '::error::no secret',
    '##[set-output name=x]y',
    '::other::',
    '::t0ken::',
    '::error::yes',
  );
  expect(shown[2]).toBe('::error::no ***');
  expect(commands.annotations).toEqual([{ level: 'error', message: 'yes' }]);
  expect(commands.outputs).toEqual({});
});

test('the deprecated set-output and save-state are obeyed, so that an injection of them is seen', () => {
  const { commands } = log('::set-output name=digest::x', 'pulled ##[save-state name=key]y');
  expect(commands.outputs).toEqual({ digest: 'x' });
  expect(commands.state).toEqual({ key: 'y' });
});

test('what is no command is shown as it is; debug lines only when asked for', () => {
  const { shown } = log('::', 'a ::error::b', '::unknown::x', '::debug::hidden', '::group::G');
  expect(shown).toEqual(['::', 'a ::error::b', '::unknown::x', null, '##[group]G']);
  expect(new LogCommands(true).line('::debug::shown')).toBe('##[debug]shown');
});

test('what is no command that the runner knows is text, and hides none behind it', () => {
  const commands = new LogCommands(false);
  expect(commands.line('::unknown::x')).toBe('::unknown::x');
  expect(commands.line('::unknown::##[error]x')).toBe('##[error]x');
  expect(commands.line('\u0085::error::y')).toBe('##[error]y');
  commands.line('::set-env name=PATH::z');
  expect(commands.annotations.map(({ message }) => message)).toEqual([
    'x',
    'y',
    "Unable to process command '::set-env name=PATH::z' successfully.",
  ]);
});
