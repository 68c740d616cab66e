import type { HealthCheck } from '../../../src/health/check';
import { issueText } from '../../../src/report/issue-text';
import type { Report } from '../../../src/report/outputs';

const SITE = {
  instance: 'web-1',
  zone: 'europe-west1-b',
  registry: '192.0.2.7:5000',
  changes: [],
  onlyPlanned: true,
} as unknown as Report;
const change = {
  target: 'instance',
  what: 'containers ui',
  from: 'ui exited',
  to: 'ui running',
  why: 'x',
} as const;
const good: HealthCheck = { name: 'SSH', state: 'healthy', finding: 'logged in' };
const bad: HealthCheck = { name: 'Container ui', state: 'degraded', finding: 'it is exited' };
const full: HealthCheck = { name: 'Disk of data', state: 'unhealthy', finding: '1 % | free' };
const titles = (text: string) => text.match(/^#### .*$/gm)?.map((line) => line.slice(5)) ?? [];

test.each<[string, Partial<Report>, HealthCheck[], HealthCheck[] | null, string[], string]>([
  ['all is well', {}, [good], null, [], '**healthy**'],
  [
    'a check that mends nothing',
    {},
    [good, bad],
    null,
    ['Found'],
    '| Container ui | degraded | it is exited |',
  ],
  [
    'all is mended',
    { changes: [change], onlyPlanned: false },
    [good],
    [bad],
    ['Found', 'Done', 'Left'],
    '#### Left\n\nNothing.',
  ],
  [
    'something is left',
    { changes: [change], onlyPlanned: false },
    [good, full],
    [bad, full],
    ['Found', 'Done', 'Left'],
    '| Disk of data | unhealthy | 1 % &#124; free |',
  ],
  ['nothing came of it', { onlyPlanned: false }, [full], [full], ['Found', 'Left'], 'Disk of data'],
])('%s', (_, site, checks, found, parts, shown) => {
  const state = checks.reduce(
    (worst, check) => (check.state === 'healthy' ? worst : check.state),
    'healthy' as const as HealthCheck['state'],
  );
  const text = issueText({ ...SITE, ...site }, { state, checks, found });
  expect(titles(text)).toEqual(parts);
  expect(text).toContain(shown);
  expect(text).toContain('on web-1 (europe-west1-b) is');
});
