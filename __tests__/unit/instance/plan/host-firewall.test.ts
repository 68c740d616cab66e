import type { Facts } from '../../../../src/instance/facts/facts';
import { planInstance } from '../../../../src/instance/plan/plan';
import { BARE, converged, DESIRED } from '../example';

/** As Docker 26 writes them, with the front at 172.18.0.2. */
const DOCKERS = [
  '-P INPUT ACCEPT',
  '-P FORWARD DROP',
  '-N DOCKER',
  '-N DOCKER-ISOLATION-STAGE-1',
  '-N DOCKER-ISOLATION-STAGE-2',
  '-N DOCKER-USER',
  '-A FORWARD -j DOCKER-USER',
  '-A FORWARD -j DOCKER-ISOLATION-STAGE-1',
  '-A FORWARD -o br-0123456789ab -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
  '-A FORWARD -o br-0123456789ab -j DOCKER',
  '-A FORWARD -i br-0123456789ab ! -o br-0123456789ab -j ACCEPT',
  '-A DOCKER -d 172.18.0.2/32 ! -i br-0123456789ab -o br-0123456789ab -p tcp -m tcp --dport 5000 -j ACCEPT',
  '-A DOCKER -d 172.18.0.2/32 ! -i br-0123456789ab -o br-0123456789ab -p tcp -m tcp --dport 18080 -j ACCEPT',
  '-A DOCKER-ISOLATION-STAGE-1 -i br-0123456789ab ! -o br-0123456789ab -j DOCKER-ISOLATION-STAGE-2',
  '-A DOCKER-ISOLATION-STAGE-1 -j RETURN',
  '-A DOCKER-ISOLATION-STAGE-2 -o br-0123456789ab -j DROP',
  '-A DOCKER-ISOLATION-STAGE-2 -j RETURN',
];
const TRANSLATIONS = [
  '-N DOCKER',
  '-A DOCKER ! -i br-0123456789ab -p tcp -m tcp --dport 5000 -j DNAT --to-destination 172.18.0.2:5000',
  '-A DOCKER ! -i br-0123456789ab -p tcp -m tcp --dport 18080 -j DNAT --to-destination 172.18.0.2:18080',
].join('\n');

const withRules = (facts: Facts, rules: Partial<Facts['packetRules']>): Facts => ({
  ...facts,
  packetRules: { ...facts.packetRules, ...rules },
});
const iptables = (...added: string[]) =>
  withRules(converged(), { filter: [...DOCKERS, ...added].join('\n'), translations: TRANSLATIONS });

/** A table with one chain. */
const nft = (hook: string, policy: string, rules: unknown[][], name = 'filter') => ({
  nftables: [
    { metainfo: { version: '1.1.3' } },
    { table: { family: 'inet', name, handle: 1 } },
    { chain: { family: 'inet', table: name, name: hook, type: 'filter', hook, prio: 0, policy } },
    ...rules.map((expr) => ({ rule: { family: 'inet', table: name, chain: hook, expr } })),
  ],
});
const bare = (...nftables: unknown[]) => withRules(BARE, { nftables });
const match = (left: unknown, right: unknown, op = '==') => ({ match: { op, left, right } });
const ct = (key: string) => ({ ct: { key } });
const established = [match(ct('state'), { set: ['established', 'related'] }), { accept: null }];
const saddr = { payload: { protocol: 'ip', field: 'saddr' } };

const TITLE = /^The firewall of the instance is in the way: .*port 5000 \(registry-port\)/;

test.each<[string, Facts, RegExp]>([
  ['DOCKER-USER drops all', iptables('-A DOCKER-USER -i ens4 -j DROP'), /-A DOCKER-USER -i ens4 -j DROP/],
  [
    'DOCKER-USER drops it by its first port',
    iptables('-A DOCKER-USER -p tcp -m conntrack --ctorigdstport 5000 -j REJECT'),
    /--ctorigdstport 5000/,
  ],
  [
    'ufw-docker lets only routes of ufw through',
    iptables(
      '-N ufw-user-forward',
      '-N ufw-docker-logging-deny',
      '-A ufw-docker-logging-deny -j DROP',
      '-A DOCKER-USER -j ufw-user-forward',
      '-A DOCKER-USER -s 10.0.0.0/8 -j RETURN',
      '-A DOCKER-USER -d 172.16.0.0/12 -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j ufw-docker-logging-deny',
      '-A DOCKER-USER -j RETURN',
    ),
    /sudo ufw route allow proto tcp from any to any port 5000,18080`/,
  ],
  [
    'an engine that is not there yet',
    withRules(BARE, { filter: '-N DOCKER-USER\n-A DOCKER-USER -j DROP' }),
    /DOCKER-USER/,
  ],
  [
    'nftables drops by policy',
    bare(nft('forward', 'drop', [established])),
    /nft insert rule inet filter forward ct status dnat accept/,
  ],
  [
    'nftables rejects at the end',
    bare(nft('forward', 'accept', [established, [{ reject: null }]])),
    /inet filter/,
  ],
  [
    'nftables drops by the device',
    bare(nft('forward', 'accept', [[match({ meta: { key: 'iifname' } }, 'ens4'), { drop: null }]])),
    /inet filter/,
  ],
  [
    'nftables lets another port through',
    bare(
      nft('forward', 'drop', [
        [match({ payload: { protocol: 'tcp', field: 'dport' } }, { set: [80, 443] }), { accept: null }],
      ]),
    ),
    /inet filter/,
  ],
  [
    'a map of verdicts knows only what stands',
    bare(
      nft('forward', 'drop', [
        [
          {
            vmap: {
              key: ct('state'),
              data: {
                set: [
                  ['established', { accept: null }],
                  ['invalid', { drop: null }],
                ],
              },
            },
          },
        ],
      ]),
    ),
    /inet filter/,
  ],
  [
    'nftables lets in others, and this runner not',
    bare(
      nft('forward', 'drop', [[match(saddr, { prefix: { addr: '10.0.0.0', len: 8 } }), { accept: null }]]),
    ),
    /inet filter/,
  ],
  [
    'firewalld is strict',
    bare(nft('forward', 'accept', [[match(ct('status'), 'dnat', 'in'), { reject: null }]], 'firewalld')),
    /StrictForwardPorts=no/,
  ],
  [
    'Docker writes no rules, and the instance takes nothing in',
    {
      ...bare(nft('input', 'drop', [established])),
      texts: new Map([['/etc/docker/daemon.json', '{"iptables": false}']]),
    },
    /nft insert rule inet filter input tcp dport '\{ 5000,18080 \}' accept/,
  ],
  [
    'Docker’s translations are gone, so that its proxy is asked, and the instance takes nothing in',
    withRules(converged(), { nftables: [nft('input', 'drop', [established])] }),
    /inet filter input/,
  ],
])('%s: named, with what to allow', (_, facts, says) => {
  expect(() => planInstance(DESIRED, facts)).toThrow(TITLE);
  expect(() => planInstance(DESIRED, facts)).toThrow(says);
});

test.each<[string, Facts]>([
  ['Docker’s rules alone', iptables('-A DOCKER-USER -j RETURN')],
  [
    'DOCKER-USER that lets it through before',
    iptables(
      '-A DOCKER-USER -p tcp -m conntrack --ctorigdstport 5000 -j ACCEPT',
      '-A DOCKER-USER -p tcp -m conntrack --ctorigdstport 18080 -j ACCEPT',
      '-A DOCKER-USER -i ens4 -j DROP',
    ),
  ],
  [
    'DOCKER-USER that drops another port',
    iptables(
      '-A DOCKER-USER -p tcp -m multiport --dports 80:99,443 -m comment --comment "a -j DROP" -j RETURN',
      '-A DOCKER-USER -p udp -j DROP',
    ),
  ],
  [
    'nftables with what Docker passes on',
    bare(nft('forward', 'drop', [[match(ct('status'), 'dnat', 'in'), { accept: null }]])),
  ],
  [
    'nftables with the bridges of Docker',
    bare(nft('forward', 'drop', [[match({ meta: { key: 'oifname' } }, 'br-*'), { accept: null }]])),
  ],
  [
    'nftables with this runner',
    bare(nft('forward', 'drop', [[match(saddr, '198.51.100.7'), { accept: null }]])),
  ],
  [
    'firewalld with the port',
    bare(
      nft(
        'forward',
        'drop',
        [
          [match({ ct: { key: 'proto-dst', dir: 'original' } }, 5000), { accept: null }],
          [match({ ct: { key: 'proto-dst' } }, 18080), { accept: null }],
        ],
        'firewalld',
      ),
    ),
  ],
  ['nftables that takes nothing in, but passes on', bare(nft('input', 'drop', [established]))],
  ['nothing that could be read', bare(null, {}, { nftables: 'x' }, { nftables: [null, 1, { rule: {} }] })],
])('%s: nothing to say', (_, facts) => {
  expect(planInstance(DESIRED, facts).notes).toEqual([]);
});

test.each<[string, Facts]>([
  [
    'a set whose members are not known',
    bare(nft('forward', 'drop', [[match(saddr, '@friends'), { accept: null }]])),
  ],
  ['a limit', bare(nft('forward', 'drop', [[{ limit: { rate: 5, per: 'second' } }, { accept: null }]]))],
])('%s: the run goes on, and says who decides', (_, facts) => {
  expect(planInstance(DESIRED, facts).notes.join('\n')).toMatch(
    /^the firewall of the instance \(inet filter: .*decides over/,
  );
});

test('whoever is let in, where this runner pushes nothing, is not for this run to judge', () => {
  const others = bare(nft('forward', 'drop', [[match(saddr, '10.0.0.1'), { accept: null }]]));
  expect(() => planInstance({ ...DESIRED, pushes: false }, others)).not.toThrow();
});

test('chains that jump in circles end', () => {
  const circle = ['-N a', '-N b', '-A a -j b', '-A b -j a', '-A DOCKER-USER -j a'];
  expect(planInstance(DESIRED, iptables(...circle)).steps).toEqual([]);
});

describe('containers are cut off', () => {
  const flushed = (filter: string, translations = TRANSLATIONS) =>
    withRules(converged(), { filter, translations });

  test('where Docker’s rules were flushed', () => {
    expect(() => planInstance(DESIRED, flushed('-P INPUT ACCEPT\n-P FORWARD DROP'))).toThrow(
      'Containers are cut off',
    );
  });

  test.each([
    ['somebody lets all through', '-P FORWARD ACCEPT'],
    ['somebody has rules of their own', '-P FORWARD DROP\n-A FORWARD -j ACCEPT'],
    ['there is no iptables', ''],
  ])('but not where %s', (_, filter) => {
    expect(() => planInstance(DESIRED, flushed(filter))).not.toThrow();
  });

  test('nor where Docker publishes nothing', () => {
    expect(() => planInstance(DESIRED, withRules(BARE, { filter: '-P FORWARD DROP' }))).not.toThrow();
  });
});
