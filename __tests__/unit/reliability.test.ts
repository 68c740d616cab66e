import { existsSync, readFileSync } from 'node:fs';

const document = readFileSync('docs/reliability.md', 'utf8');
const rows = document.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| what'));

/** A constant of the source, in seconds: `300_000`, `15 * 60_000` in milliseconds, or `APT_TIMEOUT=300` in a script. */
function secondsOf(file: string, name: string): number {
  const text = readFileSync(file, 'utf8');
  const [, script] = new RegExp(`^${name}=(\\d+)$`, 'm').exec(text) ?? [];
  if (script !== undefined) return Number(script);
  const [, product] = new RegExp(`const ${name} = ([\\d_* ]+);`).exec(text) ?? [];
  if (product === undefined) throw new Error(`${file} has no constant ${name}`);
  return product.split('*').reduce((value, factor) => value * Number(factor.replaceAll('_', '')), 1) / 1000;
}

/** Limits of time as docs/reliability.md states them: the row, and the constant behind the figure in it. */
test.each([
  [
    /^\| 503, or no answer .*; (\d+) s, then `The Compute API is failing`/,
    'src/google/retries.ts',
    'OUTAGE_LIMIT_MS',
  ],
  [/^\| 403 rateLimitExceeded, 429 .*; (\d+) s, then/, 'src/google/retries.ts', 'RATE_LIMIT_MS'],
  [/^\| 412 on a fingerprint.*; (\d+) s, then/, 'src/google/google-compute.ts', 'CONFLICT_LIMIT_MS'],
  [
    /^\| an operation that ends in INTERNAL_ERROR.*; (\d+) s, for rates/,
    'src/google/retries.ts',
    'OUTAGE_LIMIT_MS',
  ],
  [
    /^\| an operation that ends in INTERNAL_ERROR.*for rates (\d+) s/,
    'src/google/retries.ts',
    'RATE_LIMIT_MS',
  ],
  [/^\| slow operations \| waited for; (\d+) s each/, 'src/google/operations.ts', 'OPERATION_LIMIT_MS'],
  [/^\| a rule that is in force only after.*; (\d+) s \|/, 'src/registry/reach.ts', 'LIMIT_MS'],
  [/^\| a rule that is in force only after.*tried every (\d+) s/, 'src/registry/reach.ts', 'TRY_MS'],
  [/^\| the guest agent takes the key only later.*; (\d+) s, then/, 'src/ssh/connect.ts', 'LIMIT_MS'],
  [/^\| OS Login of the project.*after (\d+) s `SSH login refused`/, 'src/ssh/connect.ts', 'LIMIT_MS'],
  [/^\| `acme-down` .*; (\d+) s, then/, 'src/instance/remote/scripts/certificates.sh', 'OBTAIN_SECONDS'],
  [/^\| `apt-lock`.*after (\d+) s a step/, 'src/instance/remote/scripts/packages.sh', 'APT_TIMEOUT'],
  [/^\| `no-internet`.*within (\d+) s for the key/, 'src/instance/remote/scripts/packages.sh', 'KEY_TIMEOUT'],
  [/^\| `ssh-drop` in the login.*for (\d+) s/, 'src/ssh/connect.ts', 'LIMIT_MS'],
  [/^\| facts that do not come.*after (\d+) s;/, 'src/instance/remote/read-facts.ts', 'FACTS_TIMEOUT_MS'],
  [
    /^\| an operation that does not end.*names the limit: (\d+) s/,
    'src/google/operations.ts',
    'OPERATION_LIMIT_MS',
  ],
  [/^\| Ten runs at once.*for at most (\d+) s/, 'src/google/google-compute.ts', 'CONFLICT_LIMIT_MS'],
  [
    /^\| A person runs `apt-get install`.*up to (\d+) s/,
    'src/instance/remote/scripts/packages.sh',
    'APT_TIMEOUT',
  ],
])('%s is what %s says (%s)', (pattern, file, name) => {
  const figures = rows.flatMap((row) => pattern.exec(row)?.[1] ?? []);
  expect(figures.map(Number)).toEqual([secondsOf(file, name)]);
});

test('every test that the document names is there', () => {
  const unit = [
    ...document.matchAll(/(?<![\w/])`?(?:__tests__\/)?(unit\/[a-z-]+(?:\/[a-z-]+)*)(?:\.test\.ts)?`?/g),
  ].map(([, path]) => `__tests__/${path}`);
  const stories = [...document.matchAll(/`([a-z-]+)\.test\.ts`/g)].map(
    ([, name]) => `__tests__/e2e/${name}.test.ts`,
  );
  const missing = [
    ...unit.filter((path) => !existsSync(path) && !existsSync(`${path}.test.ts`)),
    ...stories.filter((path) => !existsSync(path)),
  ];
  expect(missing).toEqual([]);
});
