import fc from 'fast-check';

/** Pieces of text that mean something to a shell, a YAML or JSON parser, a terminal, a runner or a browser. */
const PIECES = [
  ...[
    "'",
    '"',
    '`',
    '\\',
    '$',
    '!',
    '*',
    '?',
    '[',
    ']',
    '{',
    '}',
    '(',
    ')',
    '<',
    '>',
    '|',
    '&',
    ';',
    '#',
    '~',
  ],
  ...[' ', '\t', '\n', '\r', '\r\n', '\\n', '%0A', '%25', '\u0085', '\u00a0', '\u2028', '\u2029', '\ufeff'],
  ...['\u0001', '\u0007', '\u001b[31m', '\u001b]0;x\u0007', '\u009b1m', '\u007f'],
  ...['é', '漢字', '🏴‍☠️', 'ﬀ', 'İ', 'e\u0301', '\u200b', '\u200f', '\u202e', '\u2066', '\u2069', '\ufffe'],
  ...[
    '-',
    '--',
    '-rf /',
    '-oProxyCommand=x',
    '../',
    '/..',
    '/./',
    '//',
    '/etc/passwd',
    '0',
    '-1',
    '65536',
    '1e9',
  ],
  ...[
    '::set-output name=x::y',
    '::error::x',
    '::add-mask::a',
    '::stop-commands::x',
    '##[error]x',
    '##[add-mask]a',
  ],
  ...[
    '$(id)',
    '`id`',
    '$' + '{HOME}',
    '$IFS',
    '%s%n',
    "'; id; '",
    '"; id; "',
    '\n}\nid\n',
    '<<EOF',
    '$$',
    '$' + '{{ x }}',
  ],
  ...[
    '<b>x</b>',
    '<script>x</script>',
    '&lt;',
    'null',
    'true',
    'a: b',
    '- a',
    '!!js',
    '@',
    ',',
    ':',
    '__proto__',
  ],
];

/** Text that is made to do harm, without NUL, which neither an environment nor a command line can hold. */
export const hostileText: fc.Arbitrary<string> = fc
  .oneof(
    { weight: 6, arbitrary: fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 8 }) },
    { weight: 2, arbitrary: fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 3 }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('x', "'", '$(id) ', '\n', '漢').map((each) => [each.repeat(100_000)]),
    },
  )
  .map((parts) => parts.join('').replaceAll('\0', ''));

/** A good value with something hostile in it, in front of it, or behind it. */
export function spoilt(good: string): fc.Arbitrary<string> {
  return fc
    .tuple(fc.nat(good.length), fc.nat(2), hostileText)
    .map(([at, cut, text]) => good.slice(0, at) + text + good.slice(at + cut));
}

/** Fails unless text can stand in a log: one line, printable, of bounded length, and nothing that is obeyed. */
export function expectSafe(message: string, limit = 1000): void {
  expect(message.length).toBeLessThanOrEqual(limit);
  expect(message).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u);
  expect(message).not.toContain('##[');
  expect(message).not.toMatch(/^\s*::/);
}
