import fc from 'fast-check';
import {
  BrokenDaemonJson,
  insecureRegistries,
  mergeEntries,
  removeEntries,
  withList,
} from '../../../src/runner/daemon-json';

const entry = '203.0.113.20:5000';
const merge = (text: string | null) =>
  mergeEntries(text === null ? null : Buffer.from(text), [entry])?.toString();

test.each([
  ['absent', null, `{\n  "insecure-registries": [\n    "${entry}"\n  ]\n}\n`],
  ['empty', '', `{\n  "insecure-registries": [\n    "${entry}"\n  ]\n}\n`],
  ['blank', ' \n', `{\n  "insecure-registries": [\n    "${entry}"\n  ]\n}\n`],
  [
    'without the key',
    '{\n  "debug": true\n}\n',
    `{\n  "debug": true,\n  "insecure-registries": [\n    "${entry}"\n  ]\n}\n`,
  ],
  ['with null', '{"insecure-registries": null}', `{"insecure-registries": [\n    "${entry}"\n  ]}`],
  [
    'with tabs, and other entries and keys',
    '{\n\t"insecure-registries": ["a:1"],\n\t"registry-mirrors": ["https://m.example"]\n}',
    `{\n\t"insecure-registries": [\n\t\t"a:1",\n\t\t"${entry}"\n\t],\n\t"registry-mirrors": ["https://m.example"]\n}`,
  ],
  [
    'with CRLF',
    '{\r\n  "debug": true\r\n}',
    `{\r\n  "debug": true,\r\n  "insecure-registries": [\r\n    "${entry}"\r\n  ]\r\n}`,
  ],
  ['with the entry', `{"insecure-registries":["${entry}"]}`, `{"insecure-registries":["${entry}"]}`],
  ['with a byte order mark', '\ufeff{}', `\ufeff{\n  "insecure-registries": [\n    "${entry}"\n  ]\n}`],
])('a file %s', (_, before, after) => {
  expect(merge(before)).toBe(after);
});

test.each([
  ['{\n  // debugging\n  "debug": true\n}', 'line 2, column 3: dockerd allows no comments'],
  ['{\n  "debug": true,\n}', 'line 3, column 1: property name expected, near "}"'],
  ['{"debug": tru}', 'line 1, column 11: invalid symbol'],
  ['{"debug": true', 'line 1, column 15: close brace expected'],
  ['[]', 'it holds no JSON object'],
  ['{} {}', 'line 1, column 4: end of file expected'],
  ['{"insecure-registries": "a"}', '"insecure-registries" is no list'],
  ['{"insecure-registries": ["a", 1]}', '"insecure-registries" holds "1", which is no text'],
  [
    '{"insecure-registries": [],\n "insecure-registries": []}',
    'line 2, column 2: "insecure-registries" appears twice',
  ],
  ['{"a": "\u0001"}', 'line 1, column 7: '],
])('refuses %j', (text, reason) => {
  expect(() => merge(text)).toThrow(BrokenDaemonJson);
  expect(() => merge(text)).toThrow(reason);
});

test('refuses what is not UTF-8', () => {
  expect(() => insecureRegistries(Buffer.from([0x7b, 0xff, 0x7d]))).toThrow('it is not UTF-8');
  expect(() => insecureRegistries(Buffer.from('\ufeff{}', 'utf16le'))).toThrow('it is not UTF-8');
});

test('an empty list takes the place of none', () => {
  expect(withList(null, []).toString()).toBe('{"insecure-registries":[]}\n');
  expect(JSON.parse(withList(Buffer.from('{"debug":true}'), []).toString())).toEqual({
    debug: true,
    'insecure-registries': [],
  });
});

describe('whatever else the file holds', () => {
  const host = fc.domain().map((name) => `${name}:5000`);
  const json = fc
    .record({
      others: fc.dictionary(
        fc.string().filter((key) => key !== 'insecure-registries' && key !== '__proto__'),
        fc.jsonValue(),
        { maxKeys: 5 },
      ),
      list: fc.option(fc.uniqueArray(host, { maxLength: 4 }), { nil: undefined }),
      first: fc.boolean(),
      indent: fc.constantFrom(undefined, 2, 4, '\t'),
    })
    .map(({ others, list, first, indent }) => {
      const key = list === undefined ? {} : { 'insecure-registries': list };
      return JSON.stringify(first ? { ...key, ...others } : { ...others, ...key }, null, indent);
    });

  test('it stays; merging twice changes nothing; removal undoes it', () => {
    fc.assert(
      fc.property(json, fc.uniqueArray(host, { minLength: 1, maxLength: 3 }), (text, entries) => {
        const before = JSON.parse(text);
        const merged = mergeEntries(Buffer.from(text), entries) as Buffer;
        const after = JSON.parse(merged.toString());
        const had: string[] | undefined = before['insecure-registries'];
        expect(after['insecure-registries']).toEqual([...new Set([...(had ?? []), ...entries])]);
        expect({ ...after, 'insecure-registries': had }).toEqual({ ...before, 'insecure-registries': had });
        expect(Object.keys(after).filter((key) => key in before)).toEqual(Object.keys(before));
        expect(mergeEntries(merged, entries)).toBe(merged);

        const ours = entries.filter((each) => !had?.includes(each));
        const removed = removeEntries(merged, ours, had === undefined) as Buffer;
        expect(JSON.parse(removed.toString())).toEqual(before);
      }),
    );
  });
});
