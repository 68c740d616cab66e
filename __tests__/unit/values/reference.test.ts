import fc from 'fast-check';
import {
  familiarName,
  formatReference,
  InvalidReference,
  normalise,
  parseImage,
  parseReference,
  parseRegistryHost,
  parseTarget,
  resolveTargets,
  targetOf,
} from '../../../src/values/reference';

const hex64 = 'f'.repeat(64);

describe('parseReference', () => {
  test.each([
    ['hello-world', { path: 'hello-world' }],
    ['hello-world:latest', { path: 'hello-world', tag: 'latest' }],
    ['library/registry:3', { path: 'library/registry', tag: '3' }],
    ['foo:5000', { path: 'foo', tag: '5000' }],
    ['foo:5000/bar', { domain: 'foo:5000', path: 'bar' }],
    ['localhost/foo', { domain: 'localhost', path: 'foo' }],
    ['ghcr.io/me/app:1.0', { domain: 'ghcr.io', path: 'me/app', tag: '1.0' }],
    ['UPPER/foo', { domain: 'UPPER', path: 'foo' }],
    ['203.0.113.5:5000/test', { domain: '203.0.113.5:5000', path: 'test' }],
    ['[2001:db8::1]:5000/a/b:x', { domain: '[2001:db8::1]:5000', path: 'a/b', tag: 'x' }],
    [`a__b--c.d_e@sha256:${hex64}`, { path: 'a__b--c.d_e', digest: `sha256:${hex64}` }],
    [`a:t@sha512:${hex64}${hex64}`, { path: 'a', tag: 't', digest: `sha512:${hex64}${hex64}` }],
    [`a:${'t'.repeat(128)}`, { path: 'a', tag: 't'.repeat(128) }],
    ['a'.repeat(255), { path: 'a'.repeat(255) }],
  ])('%s', (text, expected) => {
    expect(parseReference(text)).toEqual(expected);
    expect(formatReference(parseReference(text))).toBe(text);
  });

  test.each([
    ['', 'it is empty'],
    ['Hello', 'must be lower case'],
    ['ghcr.io/Me/app', 'must be lower case'],
    ['a:', 'the tag is empty'],
    [`a:${'t'.repeat(129)}`, 'more than 128 characters'],
    ['a:-x', 'a tag has letters'],
    ['a'.repeat(256), 'more than 255 characters'],
    ['a'.repeat(100_000), 'it is too long'],
    ['a..b', 'a repository has'],
    ['a___b', 'a repository has'],
    ['-a', 'a repository has'],
    ['a/', 'a repository has'],
    ['/a', 'a repository has'],
    ['a b', 'a repository has'],
    ['a\n', 'a repository has'],
    ['a:b\n', 'a tag has letters'],
    ['https://ghcr.io/a', 'the registry before the first "/" is invalid'],
    ['-x.io/a', 'the registry before the first "/" is invalid'],
    ['a.b/', 'the repository is missing'],
    ['a@sha256:abc', 'has 64 hex digits'],
    [`a@sha256:${hex64.toUpperCase()}`, 'the digest must be'],
    [`a@md5:${hex64}`, 'the digest must be'],
    [`a@constructor:${hex64}`, 'the digest must be'],
    ['a@', 'the digest must be'],
    [hex64, 'it is an image id'],
    [`sha256:${hex64}`, 'it is an image id'],
  ])('refuses %j', (text, reason) => {
    expect(() => parseReference(text)).toThrow(InvalidReference);
    expect(() => parseReference(text)).toThrow(reason);
  });

  test('reads back whatever it accepts, and never hangs', () => {
    const piece = fc.constantFrom(
      'a',
      'B',
      '0',
      '.',
      '_',
      '-',
      '/',
      ':',
      '@',
      '[',
      ']',
      ' ',
      'sha256:',
      hex64,
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('');
        let parsed: ReturnType<typeof parseReference>;
        try {
          parsed = parseReference(text);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidReference);
          return;
        }
        expect(formatReference(parsed)).toBe(text);
        const full = normalise(parsed);
        expect(normalise(parseReference(formatReference(full)))).toEqual(full);
        expect(normalise(parseReference(familiarName(parsed)))).toEqual(full);
      }),
      { numRuns: 2000 },
    );
  });
});

test.each([
  ['hello-world', 'docker.io/library/hello-world:latest', 'hello-world:latest'],
  ['docker.io/hello-world', 'docker.io/library/hello-world:latest', 'hello-world:latest'],
  ['index.docker.io/me/app:2', 'docker.io/me/app:2', 'me/app:2'],
  ['library/a/b', 'docker.io/library/a/b:latest', 'library/a/b:latest'],
  ['ghcr.io/app', 'ghcr.io/app:latest', 'ghcr.io/app:latest'],
  [`a@sha256:${hex64}`, `docker.io/library/a@sha256:${hex64}`, `a@sha256:${hex64}`],
  [`a:1@sha256:${hex64}`, `docker.io/library/a:1@sha256:${hex64}`, `a:1@sha256:${hex64}`],
])('%s is %s, shown as %s', (text, full, familiar) => {
  expect(formatReference(normalise(parseReference(text)))).toBe(full);
  expect(familiarName(parseReference(text))).toBe(familiar);
});

describe('parseTarget', () => {
  test.each([
    ['test', { path: 'test', tag: 'latest' }],
    ['team/app:1.2', { path: 'team/app', tag: '1.2' }],
    ['203.0.113.5:5000/test', { domain: '203.0.113.5:5000', path: 'test', tag: 'latest' }],
    ['[2001:db8::5]:5000/test:1', { domain: '[2001:db8::5]:5000', path: 'test', tag: '1' }],
    ['localhost/test', { domain: 'localhost', path: 'test', tag: 'latest' }],
  ])('%s', (text, expected) => {
    expect(parseTarget(text)).toEqual(expected);
  });

  test.each([
    ['', 'it is empty'],
    ['Test', 'must be lower case'],
    ['app:feature/x', 'a tag has no "/"; "feature-x" would be one'],
    ['team/app:feature/x', 'a tag has no "/"; "feature-x" would be one'],
    ['203.0.113.5:5000/app:feature/x', 'a tag has no "/"; "feature-x" would be one'],
    ['app:feature/ü', 'the registry before the first "/" is invalid'],
    [`a@sha256:${hex64}`, 'a digest cannot be pushed to'],
    ['a:b:c', 'a tag has letters'],
    ['--all', 'a repository has'],
    ['$(id)', 'a repository has'],
    ['x'.repeat(100_000), 'it is too long'],
  ])('refuses %j', (text, reason) => {
    expect(() => parseTarget(text)).toThrow(reason);
  });
});

describe('resolveTargets', () => {
  const resolve = (tags: string[], ...registries: string[]) =>
    resolveTargets(tags.map(parseTarget), registries).map(({ path, tag }) => `${path}:${tag}`);

  test('takes this registry off, by any of its names, and each target once', () => {
    const tags = ['app:1', '203.0.113.5:5000/app:1', 'R.example.com:5000/app:2', 'app'];
    expect(resolve(tags, 'r.example.com:5000', '203.0.113.5:5000')).toEqual(['app:1', 'app:2', 'app:latest']);
  });

  test.each(['443', '80'])('port %s goes without saying', (port) => {
    expect(resolve(['r.example.com/app:1'], `r.example.com:${port}`)).toEqual(['app:1']);
  });

  test.each(['203.0.113.6:5000/app:1', '203.0.113.5:5001/app:1', '203.0.113.5/app:1'])(
    'refuses %s by name',
    (tag) => {
      expect(() => resolve([tag], '203.0.113.5:5000')).toThrow(
        `"${tag}" names another registry than 203.0.113.5:5000`,
      );
    },
  );
});

test.each([
  ['hello-world', 'hello-world', 'latest'],
  ['ghcr.io/me/app:1', 'me/app', '1'],
  ['docker.io/library/redis:8', 'redis', '8'],
  ['library/a/b', 'library/a/b', 'latest'],
  [`a@sha256:${hex64}`, 'a', 'latest'],
])('%s is pushed as %s:%s', (text, path, tag) => {
  expect(targetOf(parseReference(text))).toEqual({ path, tag });
});

test.each([
  ['registry', 'registry:latest'],
  ['registry:3', 'registry:3'],
  ['docker.io/library/registry:3', 'registry:3'],
  [`mirror.example:5000/registry@sha256:${hex64}`, `mirror.example:5000/registry@sha256:${hex64}`],
])('parseImage %s', (text, expected) => {
  expect(formatReference(parseImage(text))).toBe(expected);
});

describe('parseRegistryHost', () => {
  test.each([
    ['registry.example.com', 'registry.example.com'],
    ['Registry.Example.COM', 'registry.example.com'],
    ['web-1', 'web-1'],
    ['203.0.113.5', '203.0.113.5'],
    ['[2001:DB8::5]', '[2001:db8::5]'],
  ])('%s', (text, expected) => {
    expect(parseRegistryHost(text)).toBe(expected);
    expect(parseReference(`${expected}:5000/a`)).toEqual({ domain: `${expected}:5000`, path: 'a' });
  });

  test.each([
    ['', 'it is empty'],
    ['http://a.example', 'leave the scheme away'],
    ['a.example/', 'leave the path away'],
    ['a.example:5000', 'leave the port away'],
    ['[::1]:5000', 'leave the port away'],
    ['2001:db8::5', 'put the IPv6 address in brackets'],
    ['[203.0.113.5]', 'no IPv6 address in the brackets'],
    ['[::ffff:203.0.113.5]', 'hex digits and colons only'],
    ['[fe80::1%eth0]', 'hex digits and colons only'],
    ['1.2.3.999', 'no IPv4 address'],
    ['-a.example', 'a DNS name has'],
    ['a..example', 'a DNS name has'],
    ['a.example.', 'a DNS name has'],
    ['a_b.example', 'a DNS name has'],
    ['a\nb', 'a DNS name has'],
    ['user@host', 'a DNS name has'],
    [`${'a'.repeat(64)}.example`, 'at most 63 characters'],
    ['a.'.repeat(200), 'at most 253 characters'],
  ])('refuses %j', (text, reason) => {
    expect(() => parseRegistryHost(text)).toThrow(reason);
  });

  test('accepts only what can stand before a port in a reference', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.domain(),
      fc.ipV4(),
      fc.ipV6().map((ip) => `[${ip}]`),
    );
    fc.assert(
      fc.property(text, (value) => {
        let host: string;
        try {
          host = parseRegistryHost(value);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidReference);
          return;
        }
        expect(parseReference(`${host}:5000/a`)).toEqual({ domain: `${host}:5000`, path: 'a' });
      }),
    );
  });
});
