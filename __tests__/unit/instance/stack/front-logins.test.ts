import { frontConfig as configOf } from '../../../../src/instance/stack/front';
import { type LoginRules, loginSnippets, USERS_FILE } from '../../../../src/instance/stack/front-logins';
import { servicesOf } from '../../../../src/instance/stack/services';
import { DESIRED } from '../example';

const PORTS = { ui: 'joxit', port: 5000, uiPort: 18080, tls: { kind: 'none' } } as const;
const CLOSED: LoginRules = { anonymousPull: false };
const OPEN: LoginRules = { anonymousPull: true };

const frontConfig = (inputs: Parameters<typeof configOf>[0], logins: LoginRules | null = null) =>
  configOf(inputs, null, logins);

/** The lines of the first block with this head, without what is in the blocks of it: `['basic_auth bcrypt registry {', …]`. */
function blockOf(config: string, head: string): string[] {
  const lines = config.split('\n');
  const start = lines.findIndex((line) => line.trim() === head);
  const indent = lines[start]?.match(/^\t*/)?.[0] ?? '';
  const end = lines.findIndex((line, index) => index > start && line === `${indent}}`);
  return lines
    .slice(start + 1, end)
    .filter((line) => /^\t*/.exec(line)?.[0].length === indent.length + 1)
    .map((line) => line.trim());
}

test('nothing without logins', () => {
  expect(loginSnippets(null)).toEqual({ imports: '', proxy: '', gate: '', errors: '' });
  expect(frontConfig(PORTS, null)).toBe(frontConfig(PORTS));
  expect(frontConfig(PORTS)).not.toMatch(/basic_auth|Authorization|users|40[13]/);
});

test('the gate comes before every answer, whichever page there is', () => {
  for (const rules of [CLOSED, OPEN])
    for (const ui of ['joxit', 'hyper', 'none'] as const) {
      const route = blockOf(frontConfig({ ...PORTS, ui }, rules), 'route {');
      const at = (start: string) => route.findIndex((line) => line.startsWith(start));
      expect(at('request_header @stranger')).toBeGreaterThan(at('request_header Authorization'));
      expect(at('basic_auth')).toBeGreaterThan(at('request_header @stranger'));
      expect(at('error @denied 403')).toBeGreaterThan(at('basic_auth'));
      expect(at('handle')).toBeGreaterThan(at('error @denied 403'));
      expect(route.slice(-4)).toEqual(['handle @registry {', '}', 'handle {', '}']);
      const site = blockOf(
        frontConfig({ ...PORTS, ui }, rules),
        ui === 'none' ? ':5000 {' : ':5000, :18080 {',
      );
      expect(site.filter((line) => !/^(handle_errors|\}|@unnoted|@page|log)/.test(line))).toEqual([
        '@registry path /v2 /v2/*',
        'route {',
      ]);
    }
});

test.each<[string, LoginRules, string]>([
  ['everything', CLOSED, 'basic_auth bcrypt registry {'],
  ['all but what is open', OPEN, 'basic_auth @closed bcrypt registry {'],
])('%s takes a login, of the file with the users', (_, rules, head) => {
  const config = frontConfig(PORTS, rules);
  expect(blockOf(config, head)).toEqual(['import logins']);
  expect(config).toContain('\n}\n\nimport /etc/caddy/users\n\n(behind) {\n');
  expect(blockOf(config, '@denied {')).toEqual(['not method GET HEAD OPTIONS', 'not {', '}']);
  expect(blockOf(config, '@stranger {')).toEqual(['header Authorization *', 'not {', '}']);
  expect([...config.matchAll(/\timport (\w+)\n/g)].map(([, snippet]) => snippet)).toEqual(
    expect.arrayContaining(['names', 'logins', 'writers']),
  );
});

test('the file with the users is imported by its path in the container', () => {
  expect(USERS_FILE).toBe('/etc/gce-registry/front/users');
  const front = servicesOf(DESIRED.registry).find(({ name }) => name === 'front');
  expect(front?.mounts).toEqual([
    { source: '/etc/gce-registry/front', target: '/etc/caddy', readOnly: true },
    { source: '/var/log/gce-registry', target: '/var/log/gce-registry', readOnly: false },
  ]);
});

test('neither registry nor page sees who asks', () => {
  expect(blockOf(frontConfig(PORTS, CLOSED), '(behind) {')[0]).toBe('header_up -Authorization');
  for (const upstream of ['registry:5000', 'ui:80'])
    expect(blockOf(frontConfig(PORTS, CLOSED), `reverse_proxy ${upstream} {`)).toEqual(['import behind']);
});

test.each<[string, boolean]>([
  ['/v2/app/manifests/latest', true],
  ['/v2/team/app/manifests/sha256:0123', true],
  ['/v2/team/app/blobs/sha256:0123', true],
  ['/v2/app/tags/list', true],
  ['/v2/app/referrers/sha256:0123', true],
  ['/v2/auth', true],
  ['/v2', false],
  ['/v2/', false],
  ['/v2/_catalog', false],
  ['/v2/auth/', false],
  ['/v2/manifests/latest', false],
  ['/v2/app/blobs/uploads/', false],
  ['/v2/app/blobs/uploads/0123', false],
  ['/v2/app/manifests/latest/', false],
  ['/', false],
  ['/x/v2/app/tags/list', false],
])('a pull without a login: %j is open: %s', (path, open) => {
  const config = frontConfig(PORTS, OPEN);
  const [method, pattern, header, ...others] = blockOf(config, '@closed not {');
  expect([method, header, others]).toEqual(['method GET HEAD', 'header !Authorization', []]);
  expect(new RegExp(pattern?.replace('path_regexp ', '') ?? '').test(path)).toBe(open);
});

test('a client that asks at /v2/ is sent for a token only where pulling takes no login', () => {
  const challenge = 'Bearer realm="{outside}://{hostport}/v2/auth",service="{hostport}"';
  expect(frontConfig(PORTS, OPEN)).toContain(`header @ping Www-Authenticate \`${challenge}\``);
  expect(frontConfig(PORTS, CLOSED)).not.toMatch(/Bearer|token|\/v2\/auth|X-Forwarded-Proto/);
});

test("errors are the API's", () => {
  for (const rules of [CLOSED, OPEN]) {
    const answers = [...loginSnippets(rules).errors.matchAll(/respond `(.*)` (\d+)/g)];
    expect(answers.map(([, body, status]) => [status, JSON.parse(body ?? '').errors[0].code])).toEqual([
      ['401', 'UNAUTHORIZED'],
      ['403', 'DENIED'],
    ]);
  }
  const tokens = [...loginSnippets(OPEN).gate.matchAll(/respond `(.*)`/g)];
  expect(tokens.map(([, body]) => JSON.parse(body ?? '').token)).toEqual(['{re.token.1}', 'anonymous']);
});

test('is formatted with tabs, and its braces close', () => {
  for (const rules of [null, CLOSED, OPEN]) {
    let depth = 0;
    for (const line of frontConfig(PORTS, rules).split('\n').filter(Boolean)) {
      if (line.trim().startsWith('}')) depth -= 1;
      expect(/^\t*/.exec(line)?.[0].length).toBe(depth);
      if (line.endsWith('{')) depth += 1;
    }
    expect(depth).toBe(0);
  }
});
