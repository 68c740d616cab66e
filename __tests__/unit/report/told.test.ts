import type { Reach } from '../../../src/instance/reach';
import { type Movement, type Told, toldOf } from '../../../src/report/told';
import { toldPart } from '../../../src/report/told-text';

const ADDRESSES = ['192.0.2.7', '10.0.0.2'];
const HOST = 'r.example.com';

const plain: Movement['after'] = {
  tls: 'none',
  host: '192.0.2.7',
  port: 5000,
  uiPort: 18080,
  names: [],
  chain: null,
  authority: null,
  loopback: false,
  logins: [],
  anonymousPull: false,
};
/** By an authority of its own: each way to it has its name. */
const own = {
  ...plain,
  tls: 'private-ca',
  names: [...ADDRESSES, 'localhost', '127.0.0.1'],
  authority: 'PEM',
} as const;
const acme = { ...plain, tls: 'acme', host: HOST, names: [HOST] } as const;
const given = { ...acme, tls: 'certificate', authority: 'ROOT' } as const;
const bare = { ...plain, tls: 'acme', names: ['192.0.2.7'] } as const;
/** As it was read: with plain HTTP the front knows no name. */
const was = (reach: Movement['after']): Reach => (reach.tls === 'none' ? { ...reach, host: null } : reach);

const page = (from: string, to: string, old: string) => ({ kind: 'page-moved', from, to, old }) as Told;
const moved = (from: string, to: string, old: 'closed' | 'refused' | 'answers'): Told => ({
  kind: 'moved',
  from,
  to,
  old,
});
const trust = (to: string, authority: string, isAnother: boolean): Told => ({
  kind: 'trust',
  to,
  authority,
  isAnother,
});
const tls = (references: string[], isPublic: boolean): Told => ({ kind: 'tls', references, isPublic });
const [AT, NAMED] = ['192.0.2.7:5000', `${HOST}:5000`];
const [PAGE, NAMED_PAGE] = ['192.0.2.7:18080', `${HOST}:18080`];

test.each<[string, Movement['after'], Movement['after'], Told[]]>([
  ['nothing', plain, plain, []],
  ['nothing of TLS', own, own, []],
  [
    'plain HTTP to an authority of its own',
    plain,
    own,
    [tls([AT], false), trust(AT, 'PEM', false), page(`http://${PAGE}`, `https://${PAGE}`, 'led on')],
  ],
  [
    'plain HTTP to a public certificate for a name: also whoever used an address',
    plain,
    acme,
    [
      { kind: 'other-names', references: [AT, '10.0.0.2:5000'], to: NAMED },
      tls([NAMED], true),
      page(`http://${NAMED_PAGE}`, `https://${NAMED_PAGE}`, 'led on'),
    ],
  ],
  [
    'plain HTTP to a public certificate for the address',
    plain,
    bare,
    [
      { kind: 'other-names', references: ['10.0.0.2:5000'], to: AT },
      tls([AT], true),
      page(`http://${PAGE}`, `https://${PAGE}`, 'led on'),
    ],
  ],
  [
    'an authority of its own to plain HTTP',
    own,
    plain,
    [
      { kind: 'plain', to: AT, instead: null, endsTls: true },
      { kind: 'trust-ends', from: AT },
      page(`https://${PAGE}`, `http://${PAGE}`, 'refused'),
    ],
  ],
  [
    'a public certificate to plain HTTP, called by the address again',
    acme,
    plain,
    [
      moved(NAMED, AT, 'answers'),
      { kind: 'plain', to: AT, instead: null, endsTls: true },
      page(`https://${NAMED_PAGE}`, `http://${PAGE}`, 'refused'),
    ],
  ],
  [
    'an authority of its own to a public certificate for a name',
    own,
    acme,
    [
      moved(AT, NAMED, 'refused'),
      { kind: 'other-names', references: ['10.0.0.2:5000'], to: NAMED },
      { kind: 'trust-ends', from: AT },
      page(`https://${PAGE}`, `https://${NAMED_PAGE}`, 'refused'),
    ],
  ],
  ['a public certificate to one below a root of the owner’s', acme, given, [trust(NAMED, 'ROOT', true)]],
  ['another authority', own, { ...own, authority: 'OTHER' }, [trust(AT, 'OTHER', true)]],
  ['an authority that is yet to be made', own, { ...own, authority: '' }, [trust(AT, '', true)]],
  [
    'another port, with plain HTTP',
    plain,
    { ...plain, port: 5001 },
    [
      moved(AT, '192.0.2.7:5001', 'closed'),
      { kind: 'plain', to: '192.0.2.7:5001', instead: AT, endsTls: false },
    ],
  ],
  [
    'one port for both',
    bare,
    { ...bare, port: 443, uiPort: 443 },
    [moved(AT, '192.0.2.7:443', 'closed'), page(`https://${PAGE}`, 'https://192.0.2.7:443', 'closed')],
  ],
  [
    'ports that change places',
    bare,
    { ...bare, port: 18080, uiPort: 5000 },
    [moved(AT, PAGE, 'answers'), page(`https://${PAGE}`, `https://${AT}`, 'answers')],
  ],
  [
    'another host, below the same wildcard',
    { ...acme, names: ['*.example.com'] },
    { ...acme, names: ['*.example.com'], host: 's.example.com' },
    [
      moved(NAMED, 's.example.com:5000', 'answers'),
      page(`https://${NAMED_PAGE}`, 'https://s.example.com:18080', 'answers'),
    ],
  ],
  ['no page any more', plain, { ...plain, uiPort: null }, [{ kind: 'page-gone', from: `http://${PAGE}` }]],
  ['a page that there was not', { ...plain, uiPort: null }, plain, []],
  [
    'logins where there were none',
    own,
    { ...own, logins: ['ann'] },
    [{ kind: 'logins', to: AT, anonymousPull: false }],
  ],
  ['another login', { ...own, logins: ['ann'] }, { ...own, logins: ['ann', 'bob'] }, []],
  [
    'logins that went, or may less',
    { ...own, logins: ['ann', 'bob', 'eve (may only pull)', 'kim'] },
    { ...own, logins: ['ann (may only pull)', 'bob'] },
    [{ kind: 'access-taken', removed: 2, reduced: 1 }],
  ],
  ['a reader that may push', { ...own, logins: ['ann (may only pull)'] }, { ...own, logins: ['ann'] }, []],
  ['no logins any more', { ...own, logins: ['ann'] }, own, [{ kind: 'logins-gone' }]],
  [
    'pulling takes a login',
    { ...own, logins: ['ann'], anonymousPull: true },
    { ...own, logins: ['ann'] },
    [{ kind: 'pull-closed', to: AT }],
  ],
  ['through SSH alone', plain, { ...plain, loopback: true }, [{ kind: 'ssh-alone' }]],
  ['not through SSH alone any more', { ...plain, loopback: true, port: 5001 }, own, []],
])('what others have to be told: %s', (_case, before, after, told) => {
  expect(toldOf({ before: was(before), after, addresses: ADDRESSES })).toEqual(told);
});

test('an address of IPv6 stands in brackets', () => {
  const after = { ...own, host: '[2001:db8::7]', port: 5001, names: ['2001:db8::7'] };
  const before = { ...after, host: '2001:db8::7', port: 5000 };
  expect(toldOf({ before, after, addresses: [] })[0]).toEqual(
    moved('[2001:db8::7]:5000', '[2001:db8::7]:5001', 'closed'),
  );
});

const text = (
  before: Movement['after'],
  after: Movement['after'],
  front: Movement['front'] = null,
  planned = false,
) => toldPart({ before: was(before), after, addresses: ADDRESSES, front }, planned).lines.join('\n\n');

test('after plain HTTP others take their entry out of `insecure-registries`, for a public certificate as well', () => {
  for (const after of [own, bare]) {
    expect(text(plain, after)).toContain('remove `192.0.2.7:5000` from `insecure-registries`');
  }
  expect(text(plain, own)).toContain(
    "sudo tee '/etc/docker/certs.d/192.0.2.7:5000/ca.crt' >/dev/null <<'END'\nPEM\nEND",
  );
  expect(text(plain, bare)).not.toContain('certs.d');
});

test('after TLS they get the line of daemon.json', () => {
  expect(text(acme, plain)).toContain('```json\n{"insecure-registries":["192.0.2.7:5000"]}\n```');
});

test('a reference is told as the old and the new one', () => {
  expect(text(plain, { ...plain, port: 5001 })).toContain('`192.0.2.7:5000` is now `192.0.2.7:5001`');
});

test.each<[Movement['front'], string]>([
  [null, 'its container was not replaced'],
  [
    { kind: 'handed-over', drained: true },
    'no request was refused, and transfers that were going on came to their end',
  ],
  [{ kind: 'handed-over', drained: false }, 'cut off'],
  [{ kind: 'in-place', awayMs: 2345 }, 'the registry did not answer for 2.3 s'],
  [{ kind: 'in-place', awayMs: null }, 'did not answer for a time that was not measured'],
])('how the front was replaced is said as it was seen: %j', (front, words) => {
  expect(text(plain, own, front)).toContain(words);
});

test('who comes by IPv6 is not handed over', () => {
  const front = { kind: 'handed-over', drained: true } as const;
  const { lines } = toldPart({ before: was(plain), after: own, addresses: ['2001:db8::7'], front }, false);
  expect(lines.at(-1)).toContain('no request was refused that came by IPv4 (who came by IPv6 had no answer');
});

test('where nothing is reached otherwise, only time without an answer is told', () => {
  expect(text(own, own, { kind: 'handed-over', drained: true })).toBe('');
  expect(text(own, own, { kind: 'in-place', awayMs: 900 })).toContain('did not answer for 0.9 s');
  expect(toldPart(null, false).lines).toEqual([]);
});

test('a plan says what would have to be told, and nothing of what has not happened', () => {
  const planned = text(own, { ...own, authority: '' }, null, true);
  expect(planned).toContain('What others would have to be told');
  expect(planned).toContain('in the summary of the run that makes it');
  expect(planned).not.toContain('While this was changed');
});
