import { candidatesFor, credentialsHint } from '../../../src/leases/google-place';
import { CONTEXT } from './example';

const JSON_INPUT = { kind: 'json' as const, json: { type: 'service_account' } };
const TOKEN = { kind: 'access-token' as const, token: 't' };
const main = { ...CONTEXT, credentialsFile: '/main.json', universeDomain: 'example.goog' };

const tried = (
  hint: Parameters<typeof candidatesFor>[0],
  input: Parameters<typeof candidatesFor>[1],
  file: string | null,
) =>
  candidatesFor(hint, input, { ...CONTEXT, credentialsFile: file }).map(({ credentials, context }) =>
    credentials.kind === 'adc' ? context.credentialsFile : credentials.kind,
  );

test.each([
  [
    'the file of the main step, and then that of now',
    { kind: 'adc' } as const,
    null,
    '/other.json',
    ['/main.json', '/other.json'],
  ],
  ['the same file once', { kind: 'adc' } as const, null, '/main.json', ['/main.json']],
  [
    'the file of the main step where the variable is gone',
    { kind: 'adc' } as const,
    null,
    null,
    ['/main.json'],
  ],
  ['the input, as in the main step', JSON_INPUT, JSON_INPUT, null, ['json']],
  ['what there is now where the input is gone', JSON_INPUT, null, '/other.json', ['/other.json']],
  ['a token from the input', TOKEN, TOKEN, '/other.json', ['access-token', '/other.json']],
  ['nothing', TOKEN, { kind: 'adc' } as const, null, []],
])('tries %s', (_, then, input, file, expected) => {
  expect(tried(credentialsHint(then, main), input, file)).toEqual(expected);
});

test('the hint holds no secret, and the universe is that of the main step', () => {
  const hint = credentialsHint(TOKEN, main);
  expect(JSON.stringify(hint)).not.toContain('"t"');
  const [candidate] = candidatesFor(hint, TOKEN, CONTEXT);
  expect(candidate?.context.universeDomain).toBe('example.goog');
});
