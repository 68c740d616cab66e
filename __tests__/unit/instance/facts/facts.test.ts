import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { parseFacts } from '../../../../src/instance/facts/facts';
import { FACTS_SCRIPT } from '../../../../src/instance/remote/assets';
import { shellQuote } from '../../../../src/values/quote';

const bash = (script: string) =>
  execFileSync('bash', ['--norc', '-s', '--', '198.51.100.7 50000 10.0.0.2 22'], {
    input: `${FACTS_SCRIPT}\n${script}\n`,
    maxBuffer: 1 << 24,
  }).toString('utf8');

test('the script reads this machine', () => {
  const facts = parseFacts(bash('facts MARK "$1" ci 5000 18080 /no/such/directory'), 'MARK');
  expect(facts).toMatchObject({
    client: '198.51.100.7',
    user: 'ci',
    userInDockerGroup: false,
  });
  expect(facts?.disks.map(({ name }) => name)).toEqual(['root', 'docker', 'data']);
  expect(facts?.packages.get('ca-certificates')).toBeDefined();
});

test('json_string of the script writes JSON of any text', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom(...'"\\/&\n\r\t\u0001\u001b\u007f$`\'') }),
  );
  const texts = fc.array(
    hostile.map((text) => text.replaceAll('\0', '').replaceAll(/[\ud800-\udfff]/gu, '')),
    { maxLength: 50 },
  );
  fc.assert(
    fc.property(texts, (values) => {
      const output = bash(`json_strings ${values.map(shellQuote).join(' ')}; printf '%s' "$REPLY"`);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: what the script replaces
      const expected = values.map((value) => value.replace(/[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]/g, '?'));
      expect(JSON.parse(output)).toEqual(expected);
    }),
    { numRuns: 60 },
  );
});

test.each([
  [
    'Docker’s rules are there',
    '-P FORWARD DROP\n-A FORWARD -j DOCKER-USER\n-A DOCKER -p tcp -j DNAT --to 1:80',
    false,
  ],
  [
    'they were flushed',
    '-P FORWARD DROP\n-N DOCKER\n-A DOCKER ! -i br-1 -p tcp -j DNAT --to 172.18.0.2:80',
    true,
  ],
  ['somebody lets all through', '-P FORWARD ACCEPT\n-A DOCKER -p tcp -j DNAT --to 172.18.0.2:80', false],
  [
    'somebody has rules of their own',
    '-P FORWARD DROP\n-A FORWARD -j ACCEPT\n-A DOCKER -j DNAT --to 1:80',
    false,
  ],
  ['Docker publishes nothing', '-P FORWARD DROP\n-N DOCKER', false],
  ['there is no iptables', '', false],
])('containers are cut off only where Docker’s rules were flushed: %s', (_, rules, expected) => {
  expect(bash(`forwarding_fact <<<${shellQuote(rules)}; printf '%s' "$REPLY"`)).toBe(String(expected));
});

const document =
  bash('facts MARK "$1" ci 5000 18080 ""')
    .split('\n')
    .find((line) => line.startsWith('MARK ')) ?? '';

describe('parseFacts', () => {
  test('finds the document among a banner and the output of start-up files', () => {
    const output = `Welcome!\n{"client": "evil"}\nMARKER {}\n${document}\nbye`;
    expect(parseFacts(output, 'MARK')?.client).toBe('198.51.100.7');
  });

  test.each(['', 'Welcome', 'MARK', 'XMARK {}'])('finds none in %j', (output) => {
    expect(parseFacts(output, 'MARK')).toBeNull();
  });

  test.each([
    'MARK {',
    'MARK null',
    'MARK []',
    'MARK {}',
    'MARK 1e999',
    document.replace('"user":"ci"', '"user":22'),
    document.replace('"systemd":', '"systemd":"yes","x":'),
    document.replace(/"containers":\[\]/, '"containers":[{}]'),
    document.replace('"client":"198.51.100.7"', `"client":"${'9'.repeat(100)}"`),
    document.replace('"client":"198.51.100.7"', '"client":{"toString":1}'),
    document.replace('{', '{"__proto__":{"client":"x"},').replace('"client":"198.51.100.7",', ''),
  ])('refuses %.60s', (output) => {
    expect(() => parseFacts(output, 'MARK')).toThrow('Unexpected facts');
  });

  test('quotes what it refuses without its control characters', () => {
    expect(() => parseFacts('MARK ::error::\u001b[31m\u202e##[add-mask]x\r', 'MARK')).toThrow(
      /not JSON: : :error:: # #\[add-mask\]x/,
    );
  });

  test('survives anything', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(() => parseFacts(`MARK ${text}`, 'MARK')).toThrow('Unexpected facts');
      }),
    );
  });

  test('reads containers as docker prints them', () => {
    const container = {
      name: '/gce-registry-registry-1',
      image: 'registry:3',
      state: 'running',
      health: null,
      exitCode: 0,
      restarts: 2,
      startedAt: 't',
      project: 'gce-registry',
      service: 'registry',
      spec: 's',
      ports: { '5000/tcp': [{ HostIp: '', HostPort: '5000' }], '5001/tcp': null },
      mounts: [{ Type: 'volume', Source: '/v', Destination: '/var/lib/registry' }],
    };
    const output = document.replace('"containers":[]', `"containers":[${JSON.stringify(container)}]`);
    const { ports, mounts, ...rest } = container;
    expect(parseFacts(output, 'MARK')?.containers).toEqual([
      { ...rest, name: 'gce-registry-registry-1', ports: [5000], dataSource: '/v' },
    ]);
  });
});
