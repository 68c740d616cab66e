import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { parse } from 'yaml';
import { escapeMarkdown } from '../../../src/report/markdown';
import { outputsOf, type Report } from '../../../src/report/outputs';
import { summaryOf } from '../../../src/report/summary';
import { plain } from '../../../src/values/show';

const report: Report = {
  instance: 'web-1',
  instanceIp: '192.0.2.7',
  registry: '192.0.2.7:5000',
  uiUrl: 'http://192.0.2.7:18080',
  firewallRule: 'web-1-registry',
  onlyPlanned: false,
  addressMayChange: true,
  changes: [
    { target: 'instance', what: 'package docker-ce', from: null, to: 'installed', why: 'it is missing' },
  ],
  notes: [],
  images: [{ reference: '192.0.2.7:5000/test:latest', digest: `sha256:${'a'.repeat(64)}` }],
  health: null,
};

test('every output of action.yml is set, and no other', () => {
  const { outputs } = parse(readFileSync('action.yml', 'utf8')) as { outputs: object };
  expect(Object.keys(outputsOf(report)).sort()).toEqual(Object.keys(outputs).sort());
});

test('outputs of a run that pushed', () => {
  expect(outputsOf(report)).toMatchObject({
    image: `192.0.2.7:5000/test:latest@sha256:${'a'.repeat(64)}`,
    digest: `sha256:${'a'.repeat(64)}`,
    changed: 'true',
    health: '',
  });
});

test.each([
  ['a dry run', { onlyPlanned: true }],
  ['a run that found everything in place', { changes: [] }],
])('%s changed nothing', (_case, part) => {
  expect(outputsOf({ ...report, ...part }).changed).toBe('false');
});

test('changes are JSON that shows no mark that turns text around', () => {
  const changes = [{ ...report.changes[0], what: 'a\u202eb\u009bc\u{e0041}d' }] as Report['changes'];
  const text = String(outputsOf({ ...report, changes }).changes);
  expect(text).toMatch(/^[\x20-\x7e]+$/);
  expect(JSON.parse(text)).toEqual(changes);
});

test('the summary has the pull lines, the UI, the changes and the warning', () => {
  const text = summaryOf(report);
  expect(text).toContain('```sh\ndocker pull 192.0.2.7:5000/test:latest\n```');
  expect(text).toContain('[web UI](http://192.0.2.7:18080)');
  expect(text).toContain('| instance | package docker-ce | – | installed | it is missing |');
  expect(text).toContain('[!WARNING]');
  expect(summaryOf({ ...report, addressMayChange: false })).not.toContain('[!WARNING]');
});

test('text in a table stays in its cell and is no Markdown', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const escaped = escapeMarkdown(text);
      expect(escaped.replace(/&#\d+;/g, '')).not.toMatch(/[|<>&`*_[\]\n\r]/);
      const shown = escaped.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
      expect(shown).toBe(plain(text));
    }),
  );
});
