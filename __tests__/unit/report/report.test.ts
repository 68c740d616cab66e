import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { parse } from 'yaml';
import type { Reach } from '../../../src/instance/reach';
import { escapeMarkdown } from '../../../src/report/markdown';
import { outputsOf, type Report } from '../../../src/report/outputs';
import { summaryOf } from '../../../src/report/summary';
import { plain } from '../../../src/values/show';

const report: Report = {
  mode: 'deploy',
  instance: 'web-1',
  zone: 'europe-west1-b',
  instanceIp: '192.0.2.7',
  registry: '192.0.2.7:5000',
  loopback: false,
  scheme: 'http',
  caCertificate: null,
  job: null,
  uiUrl: 'http://192.0.2.7:18080',
  uiPort: 18080,
  openTo: [],
  firewallRule: 'web-1-registry',
  onlyPlanned: false,
  addressMayChange: true,
  changes: [
    { target: 'instance', what: 'package docker-ce', from: null, to: 'installed', why: 'it is missing' },
  ],
  notes: [],
  images: [{ reference: '192.0.2.7:5000/test:latest', digest: `sha256:${'a'.repeat(64)}` }],
  health: null,
  pruned: null,
  layout: null,
  snapshot: null,
  movement: null,
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

test('what takes access away is at the top of the summary', () => {
  const taken = {
    target: 'firewall',
    what: 'rule web-1-registry',
    from: '192.0.2.0/24',
    to: null,
    why: 'source-ranges names no network any more',
    takesAccess: true,
  } as const;
  const lines = summaryOf({ ...report, changes: [...report.changes, taken] }).split('\n');
  expect(lines.slice(2, 5)).toEqual([
    '> [!WARNING]',
    '> Access was taken away:',
    '> - rule web-1-registry&#58; 192.0.2.0/24 → removed',
  ]);
  expect(summaryOf({ ...report, changes: [taken], onlyPlanned: true })).toContain(
    'This would take access away:',
  );
  expect(summaryOf(report)).not.toContain('ccess');
});

test('the summary has the pull lines by digest, the daemon’s line, and the changes', () => {
  const text = summaryOf(report);
  expect(text).toContain(`\`\`\`sh\ndocker pull 192.0.2.7:5000/test:latest@sha256:${'a'.repeat(64)}\n\`\`\``);
  expect(text).toContain('{"insecure-registries":["192.0.2.7:5000"]}');
  expect(text).toContain('| instance | package docker-ce | – | installed | it is missing |');
});

test('how a machine accepts the registry is said once, where others have to be told of it', () => {
  const before: Reach = {
    ...{
      tls: 'none' as const,
      host: null,
      port: 5000,
      uiPort: 18080,
      names: [],
      chain: null,
      authority: null,
    },
    ...{ loopback: false, logins: [], anonymousPull: false },
  };
  const after = { ...before, port: 5001, host: '192.0.2.7' };
  const movement = { before, after, addresses: ['192.0.2.7'], front: null };
  const text = summaryOf({ ...report, registry: '192.0.2.7:5001', movement });
  expect(text).toContain('#### What others have to be told');
  expect(text.split('insecure-registries":["192.0.2.7:5001"]')).toHaveLength(2);
  expect(summaryOf(report)).not.toContain('others');
});

test.each<[string, Partial<Report>, string]>([
  ['a push', {}, '### Pushed `test:latest` to the registry on web-1'],
  ['a bootstrap', { mode: 'bootstrap', images: [] }, '### Set up the registry on web-1'],
  ['a dry run', { onlyPlanned: true, images: [] }, '### Registry on web-1: what mode `deploy` would change'],
  [
    'a health check',
    {
      mode: 'health-check',
      images: [],
      onlyPlanned: true,
      health: { state: 'degraded', checks: [], found: null },
    },
    '### Registry on web-1: degraded',
  ],
])('the heading of %s says what it did', (_case, part, heading) => {
  expect(summaryOf({ ...report, ...part }).split('\n')[0]).toBe(heading);
});

test('the link to the UI is given only to those who can open it; for others there is the tunnel', () => {
  const closed = summaryOf(report);
  expect(closed).not.toContain('](http://192.0.2.7:18080)');
  expect(closed).toContain('gcloud compute ssh web-1 --zone europe-west1-b -- -L 18080:localhost:18080');
  const open = summaryOf({ ...report, openTo: ['203.0.113.0/24'] });
  expect(open).toContain('[web UI](http://192.0.2.7:18080), open to 203.0.113.0/24');
  expect(open).not.toContain('gcloud');
  expect(summaryOf({ ...report, uiUrl: null })).not.toContain('web UI');
});

test('the address is a note at the end, of runs that set something up', () => {
  const note = 'Unless that address is reserved';
  expect(summaryOf(report).indexOf(note)).toBeGreaterThan(summaryOf(report).indexOf('web UI'));
  for (const part of [{ addressMayChange: false }, { changes: [] }, { mode: 'push' as const }])
    expect(summaryOf({ ...report, ...part })).not.toContain(note);
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

test('through SSH: the summary says where it is in this job, and tells no other machine how to pull', () => {
  const through = {
    ...report,
    job: { endpoint: '127.0.0.1:5001', username: 'ci', buildkitdConfig: '' },
    loopback: true,
  };
  const summary = summaryOf(through);
  expect(outputsOf(through)).toMatchObject({ registry: '192.0.2.7:5000', endpoint: '127.0.0.1:5001' });
  expect(summary).toContain('in this job `127.0.0.1:5001`; nothing but SSH leads to it');
  expect(summary).toContain('docker pull 127.0.0.1:5001/test:latest@sha256:');
  expect(summary).not.toContain('insecure-registries');
  expect(outputsOf({ ...through, job: null }).endpoint).toBe('');
});
