import { diagnoseSsh } from '../../../src/firewall/diagnose';
import { noteOtherRules } from '../../../src/firewall/other-rules';
import type { FirewallRule } from '../../../src/google/compute';
import { rule, VM } from './fixtures';

const OPTIONS = { tags: VM.tags.items, ports: [5000, 18080], ours: ['web-1-registry'] };

test.each<[string, Partial<FirewallRule>, string[]]>([
  [
    'opens a port to everybody',
    { targetTags: [], sourceRanges: ['0.0.0.0/0'], allowed: [{ protocol: 'tcp', ports: ['5000'] }] },
    ['rule other already opens tcp:5000 to 0.0.0.0/0 (priority 900)'],
  ],
  [
    'denies all',
    { targetTags: ['http'], priority: 10, allowed: [], denied: [{ protocol: 'all', ports: [] }] },
    ['rule other already denies tcp:5000,18080 from 192.0.2.0/24 (priority 10)'],
  ],
  [
    'opens to tagged instances',
    { targetTags: [], sourceRanges: [], sourceTags: ['ci'] },
    ['rule other already opens tcp:5000,18080 to instances tagged ci (priority 900)'],
  ],
  ['is for other instances', { targetTags: ['db'] }, []],
  ['is for other ports', { targetTags: [], allowed: [{ protocol: 'tcp', ports: ['22', '80-90'] }] }, []],
  ['is for UDP', { targetTags: [], allowed: [{ protocol: 'udp', ports: [] }] }, []],
  ['is disabled', { targetTags: [], disabled: true }, []],
  ['is for outgoing traffic', { targetTags: [], direction: 'EGRESS' }, []],
  ['is in another network', { targetTags: [], network: 'projects/host/global/networks/other' }, []],
])('a rule that %s', (_name, changes, expected) => {
  expect(noteOtherRules([rule({ name: 'other', ...changes })], VM, OPTIONS)).toEqual(expected);
});

test('the rules that the run converges are not other rules', () => {
  expect(noteOtherRules([rule()], VM, OPTIONS)).toEqual([]);
});

const deny = {
  name: 'deny-all',
  targetTags: [],
  allowed: [],
  denied: [{ protocol: 'all', ports: [] }],
};
const ssh = { name: 'allow-ssh', targetTags: [], allowed: [{ protocol: 'tcp', ports: ['22'] }] };

test.each<[string, FirewallRule[], string]>([
  ['no rule', [rule()], 'admits anyone from outside to tcp:22'],
  ['a rule for others', [rule({ ...ssh, targetTags: ['bastion'] })], 'admits anyone from outside to tcp:22'],
  ['a rule', [rule(ssh)], 'tcp:22 is opened by allow-ssh (192.0.2.0/24)'],
  [
    'a rule that denies',
    [rule(ssh), rule({ ...deny, priority: 1 })],
    'Rule deny-all denies tcp:22 from 192.0.2.0/24 with priority 1: add a rule that allows tcp:22 from this runner with `--priority 0`',
  ],
  [
    'a rule that denies, before which nothing can come',
    [rule(ssh), rule({ ...deny, priority: 0 })],
    'and nothing comes before that: give that rule a greater number',
  ],
  [
    'a rule that denies, after one that allows',
    [rule(ssh), rule({ ...deny, priority: 901 })],
    'tcp:22 is opened by allow-ssh',
  ],
  [
    'a rule that denies, of the same priority',
    [rule(ssh), rule({ ...deny, priority: 900 })],
    'with `--priority 899` or less',
  ],
])('SSH does not answer: %s', (_name, rules, expected) => {
  expect(diagnoseSsh(rules, VM, 22)).toContain(expected);
});

test('SSH does not answer: what to run can be run, and says what it takes', () => {
  const advice = diagnoseSsh([], VM, 2222);
  expect(advice).toContain(
    '`gcloud compute firewall-rules create allow-ssh --project host --network shared --allow tcp:2222 --source-ranges 0.0.0.0/0`',
  );
  expect(advice).toMatch(/sshd must take keys only.*A self-hosted runner, or a larger runner/);
});

test('SSH does not answer an instance without an external address: it takes a runner in its network', () => {
  const advice = diagnoseSsh([rule(ssh)], { ...VM, externalIp: null }, 22);
  expect(advice).toContain('no external address');
  expect(advice).toContain('self-hosted runner');
});
