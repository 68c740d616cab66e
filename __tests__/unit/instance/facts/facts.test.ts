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
  const facts = parseFacts(
    bash('facts MARK "$1" ci /no/such/directory true registry:5000:/v2/ ui:18080:/'),
    'MARK',
  );
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

const document =
  bash('facts MARK "$1" ci "" false registry:5000:/v2/ ui:18080:/')
    .split('\n')
    .find((line) => line.startsWith('MARK ')) ?? '';

/** The document with other containers than there are here. */
function withContainers(containers: string): string {
  const { containers: _, ...rest } = JSON.parse(document.slice('MARK '.length));
  return `MARK ${JSON.stringify(rest).slice(0, -1)},"containers":${containers}}`;
}

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
    withContainers('[{}]'),
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
      imageId: 'sha256:1',
      state: 'running',
      health: null,
      exitCode: 0,
      restarts: 2,
      startedAt: 't',
      project: 'gce-registry',
      service: 'registry',
      spec: 's',
      restartPolicy: 'always',
      asked: { '5000/tcp': [{ HostIp: '', HostPort: '5000-5001' }], '5001/tcp': null },
      published: {
        '5000/tcp': [{ HostIp: '::', HostPort: '5000' }],
        '53/udp': [{ HostIp: '', HostPort: '53' }],
      },
      dataSource: [{ Type: 'volume', Source: '/v', Destination: '/var/lib/registry' }],
      networkId: { NetworkID: 'abc' },
    };
    const port = (port: number, address: string) => ({ address, port, target: 5000 });
    const [read] = parseFacts(withContainers(JSON.stringify([container])), 'MARK')?.containers ?? [];
    expect(read).toEqual({
      ...container,
      name: 'gce-registry-registry-1',
      asked: [port(5000, ''), port(5001, '')],
      published: [port(5000, '::')],
      dataSource: '/v',
      networkId: 'abc',
    });
  });
});

describe('the script', () => {
  const read = <T>(script: string): T => JSON.parse(bash(`${script}; printf '%s' "$REPLY"`)) as T;

  test.each([
    ['https', '{ [[ $1 == https ]] && echo 401; }', '401'],
    ['https', '{ [[ $1 == http ]] && echo 200; }', '200 plain'],
    ['https', '{ [[ $1 == http ]] && echo 308; }', '308'],
    ['https', '{ :; }', ''],
    ['http', '{ [[ $1 == http ]] && echo 200; }', '200'],
  ])('says of %s which answers by plain HTTP: %s', (scheme, server, expected) => {
    expect(bash(`http_status() ${server}; present_status ${scheme} 5000 /v2/`)).toBe(`${expected}\n`);
  });

  test('names the services that answer by plain HTTP where they are to speak TLS', () => {
    const probes = `http_status() { [[ $1 == http || $2 == 18080 ]] && echo 200; }
      begin_stack_facts false false registry:https:5000:/v2/ ui:https:18080:/
      probe_facts '[]'; printf '%s %s' "$REPLY" "\${PLAIN[*]}"`;
    expect(bash(probes)).toBe('{"registry":200,"ui":200} registry');
  });

  test('reads routes, with a gateway as a destination of its own', () => {
    const lines =
      'default via 10.132.0.1 dev ens4 proto dhcp\n10.132.0.1 dev ens4 scope link\n172.18.0.0/16 dev br-1 linkdown\nblackhole 10.0.0.0/8\ndefault dev wg0 scope link\n';
    expect(read(`route_facts <<<${shellQuote(lines)}`)).toEqual([
      { cidr: '10.132.0.1/32', device: 'ens4' },
      { cidr: '10.132.0.1/32', device: 'ens4' },
      { cidr: '172.18.0.0/16', device: 'br-1' },
    ]);
  });

  test.each([
    ['running', 'healthy', 0],
    ['running', 'starting', 0],
    ['running', 'unhealthy', 1],
    ['exited', 'healthy', 1],
  ])('waits for a container that is %s and %s: %d', (state, health, status) => {
    const containers = `[{"name":"/a","state":"running","health":null,"project":"","service":"registry"},{"name":"/b","state":"${state}","health":"${health}","project":"gce-registry","service":"registry"}]`;
    expect(bash(`is_expected registry ${shellQuote(containers)}; printf '%s' "$?"`)).toBe(String(status));
  });
});
