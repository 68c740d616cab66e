import type { Clients, OperationMessage } from '../../../src/google/clients';
import type { FirewallRule } from '../../../src/google/compute';
import { googleCompute } from '../../../src/google/google-compute';
import type { FirewallMessage, InstanceMessage } from '../../../src/google/resources';
import { answer, fakeClock, fakeLog, html, noAnswer } from './fakes';

type Sent = { method: string; request: Record<string, unknown> };
type Script = Partial<Record<string, unknown[]>>;

const DONE: OperationMessage = { name: 'op', status: 'DONE' };
const RUNNING: OperationMessage = { name: 'op', status: 'RUNNING' };

const VM: InstanceMessage = {
  id: '7',
  name: 'web-1',
  status: 'RUNNING',
  tags: { items: ['http'], fingerprint: 'tags-1' },
  metadata: { items: [{ key: 'startup', value: 'x' }], fingerprint: 'meta-1' },
  networkInterfaces: [
    {
      network: 'https://www.googleapis.com/compute/v1/projects/host/global/networks/shared',
      networkIP: '10.0.0.2',
      accessConfigs: [{ natIP: '203.0.113.9' }],
    },
  ],
};

const RULE: FirewallRule = {
  name: 'r',
  network: 'projects/p/global/networks/default',
  description: '',
  direction: 'INGRESS',
  priority: 1000,
  disabled: false,
  sourceRanges: ['10.0.0.0/8'],
  sourceTags: [],
  sourceServiceAccounts: [],
  targetTags: ['web'],
  targetServiceAccounts: [],
  allowed: [{ protocol: 'tcp', ports: ['5000'] }],
  denied: [],
};

/** Answers each method from its script, in order; an Error is thrown. The last one is given again and again. */
function scripted(
  script: Script,
  options: { operationLimitMs?: number } = {},
  wait?: (timeoutMs: number) => Promise<never>,
) {
  const sent: Sent[] = [];
  const method = (name: string, wrap: (value: unknown) => unknown[]) => async (request: object) => {
    sent.push({ method: name, request: request as Record<string, unknown> });
    const answers = script[name] ?? [DONE];
    const next = answers.length > 1 ? answers.shift() : answers[0];
    if (next instanceof Error) throw next;
    return wrap(next);
  };
  const mutation = (name: string) => method(name, (latestResponse) => [{ latestResponse }]);
  const read = (name: string) => method(name, (value) => [value]);
  const clients = {
    instances: () => ({
      get: read('get'),
      setTags: mutation('setTags'),
      setMetadata: mutation('setMetadata'),
      getGuestAttributes: read('getGuestAttributes'),
    }),
    firewalls: () => ({
      list: method('list', (page) => page as unknown[]),
      insert: mutation('insert'),
      patch: mutation('patch'),
      delete: mutation('delete'),
    }),
    globalOperations: () => ({
      wait: wait ? (_: unknown, { timeout }: { timeout: number }) => wait(timeout) : read('wait'),
    }),
    zoneOperations: () => ({ wait: read('wait') }),
  } as unknown as Clients;
  const [clock, log] = [fakeClock(), fakeLog()];
  const compute = googleCompute({ project: 'p', zone: 'z', instance: 'web-1' }, clients, {
    log,
    clock,
    ...options,
  });
  const requests = (name: string) => sent.filter((one) => one.method === name).map((one) => one.request);
  return { compute, sent, requests, clock, log };
}

function failed(code: string, status: number): OperationMessage {
  return {
    name: 'op',
    status: 'DONE',
    httpErrorStatusCode: status,
    error: { errors: [{ code, message: code }] },
  };
}

test('an instance: network and project of nic0, addresses, tags, metadata', async () => {
  const { compute } = scripted({ get: [VM] });
  expect(await compute.getInstance()).toMatchObject({
    network: { project: 'host', name: 'shared' },
    internalIp: '10.0.0.2',
    externalIp: '203.0.113.9',
    tags: { items: ['http'] },
  });
});

test('nic0 is the first interface by its name, wherever it stands', async () => {
  const inner = {
    name: 'nic1',
    network: 'projects/p/global/networks/inner',
    networkIP: '192.168.0.2',
    accessConfigs: [{ natIP: '203.0.113.77' }],
  };
  const [outer] = VM.networkInterfaces ?? [];
  const { compute } = scripted({ get: [{ ...VM, networkInterfaces: [inner, { ...outer, name: 'nic0' }] }] });
  expect(await compute.getInstance()).toMatchObject({
    network: { project: 'host', name: 'shared' },
    externalIp: '203.0.113.9',
  });
});

test.each([
  ['a feature', [{ boot: true, guestOsFeatures: [{ type: 'GVNIC' }, { type: 'WINDOWS' }] }], true],
  [
    'a license',
    [
      {
        boot: true,
        licenses: [
          'https://www.googleapis.com/compute/v1/projects/windows-cloud/global/licenses/windows-server-2022-dc',
        ],
      },
    ],
    true,
  ],
  ['another disk', [{ boot: true }, { guestOsFeatures: [{ type: 'WINDOWS' }] }], false],
  ['no disks', undefined, false],
])('Windows is known by %s of the boot disk', async (_what, disks, windows) => {
  const { compute } = scripted({ get: [{ ...VM, ...(disks && { disks }) }] });
  expect(await compute.getInstance()).toMatchObject({ windows });
});

test('an answer that is no instance is refused', async () => {
  const { compute } = scripted({ get: [{ name: 'web-1' }] });
  await expect(compute.getInstance()).rejects.toMatchObject({
    title: 'Unexpected answer from the Compute API',
  });
});

describe('edits', () => {
  test('keep every other entry, and send the fingerprint', async () => {
    const { compute, requests } = scripted({ get: [VM] });
    await compute.editMetadata('ssh-keys', () => 'key');
    expect(requests('setMetadata')).toEqual([
      expect.objectContaining({
        metadataResource: {
          items: [
            { key: 'startup', value: 'x' },
            { key: 'ssh-keys', value: 'key' },
          ],
          fingerprint: 'meta-1',
        },
      }),
    ]);
  });

  test('that change nothing send nothing', async () => {
    const { compute, sent } = scripted({ get: [VM] });
    await compute.editTags((tags) => [...tags].reverse());
    await compute.editMetadata('startup', () => 'x');
    await compute.editMetadata('absent', () => null);
    expect(sent.map(({ method }) => method)).toEqual(['get']);
  });

  test('use the instance that was read before, once', async () => {
    const { compute, sent } = scripted({ get: [VM] });
    await compute.getInstance();
    await compute.editTags(() => ['a']);
    await compute.editTags(() => ['b']);
    expect(sent.map(({ method }) => method)).toEqual(['get', 'setTags', 'get', 'setTags']);
  });

  test.each([
    ['at once', [answer(412, 'conditionNotMet'), DONE], []],
    ['as an error of the operation', [RUNNING, RUNNING], [failed('CONDITION_NOT_MET', 412), DONE]],
  ])('are made anew on fresh values after a conflict %s', async (_when, setTags, wait) => {
    const fresh = { ...VM, tags: { items: ['http', 'other'], fingerprint: 'tags-2' } };
    const { compute, requests, log } = scripted({ get: [VM, fresh], setTags, wait });
    await compute.editTags((tags) => [...tags, 'web']);
    const [first, second] = requests('setTags');
    expect(second).toMatchObject({
      tagsResource: { items: ['http', 'other', 'web'], fingerprint: 'tags-2' },
    });
    expect(second?.requestId).not.toBe(first?.requestId);
    expect(log.lines.join()).toContain('Somebody else changed the instance');
  });

  test('of tags beyond the limit are refused before they are sent; a tag that is there is none', async () => {
    const items = Array.from({ length: 64 }, (_, index) => `tag-${index}`);
    const { compute, sent } = scripted({ get: [{ ...VM, tags: { items, fingerprint: 'f' } }] });
    await expect(compute.editTags((tags) => [...tags, 'web'])).rejects.toMatchObject({
      title: 'The instance has too many network tags',
    });
    await compute.editTags((tags) => [...tags]);
    expect(sent.map(({ method }) => method)).toEqual(['get']);
  });

  test('of metadata beyond the limit are refused before they are sent; what makes them smaller is not', async () => {
    const items = [0, 1].map((index) => ({ key: `${index}`, value: 'x'.repeat(262_143) }));
    const { compute, sent } = scripted({ get: [{ ...VM, metadata: { items, fingerprint: 'f' } }] });
    await expect(compute.editMetadata('ssh-keys', () => 'key')).rejects.toMatchObject({
      title: 'Instance metadata is full',
    });
    await compute.editMetadata('1', () => null);
    expect(sent.map(({ method }) => method)).toEqual(['get', 'setMetadata']);
  });

  test('give up where somebody else is always faster', async () => {
    const { compute } = scripted({ get: [VM], setTags: [answer(412, 'conditionNotMet')] });
    await expect(compute.editTags(() => ['web'])).rejects.toMatchObject({
      title: 'The instance is being changed by others',
    });
  });
});

describe('mutations', () => {
  test.each([
    ['503', answer(503, 'backendError')],
    ['a lost connection', noAnswer()],
    ['a rate limit', answer(403, 'rateLimitExceeded')],
    ['a proxy without upstream', html(502)],
  ])('are sent again after %s, with the same requestId', async (_name, error) => {
    const { compute, requests, log, clock } = scripted({ insert: [error, error, DONE] });
    await compute.insertFirewallRule('p', RULE);
    const ids = requests('insert').map(({ requestId }) => requestId);
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(1);
    expect(clock.slept).toHaveLength(2);
    expect(log.lines[0]).toMatch(/^Waiting for the Compute API \(adding firewall rule r of project p\): /);
  });

  test('are given up within the limit', async () => {
    const { compute, clock } = scripted({ insert: [answer(503, 'backendError')] });
    await expect(compute.insertFirewallRule('p', RULE)).rejects.toMatchObject({
      title: 'The Compute API is failing',
    });
    expect(clock.now()).toBeLessThanOrEqual(120_000);
  });

  test('wait until the operation is done', async () => {
    const { compute, requests } = scripted({ patch: [RUNNING], wait: [RUNNING, noAnswer(), RUNNING, DONE] });
    await compute.patchFirewallRule('p', 'r', { disabled: false });
    expect(requests('wait')).toHaveLength(4);
  });

  test.each([
    ['answers at once', RUNNING],
    ['does not answer', noAnswer('deadline exceeded')],
  ])('an operation that never ends is given up within the limit, where `wait` %s', async (_how, wait) => {
    const { compute, clock } = scripted({ patch: [RUNNING], wait: [wait] }, { operationLimitMs: 60_000 });
    await expect(compute.patchFirewallRule('p', 'r', { disabled: false })).rejects.toMatchObject({
      title: 'A Google Cloud operation did not finish',
      problem: { happened: 'it was not done after 60 s' },
    });
    expect(clock.now()).toBeGreaterThan(55_000);
    expect(clock.now()).toBeLessThan(75_000);
  });

  test('no wait for an operation is longer than what is left of the limit', async () => {
    const asked: number[] = [];
    const { compute, clock } = scripted({ patch: [RUNNING] }, { operationLimitMs: 100_000 }, async (ms) => {
      asked.push(ms);
      await clock.sleep(ms);
      throw noAnswer();
    });
    await expect(compute.patchFirewallRule('p', 'r', { disabled: false })).rejects.toThrow('did not finish');
    expect(asked).toEqual([100_000]);
    expect(clock.now()).toBe(100_000);
  });

  test('DONE with an error is an error', async () => {
    const { compute } = scripted({ insert: [RUNNING], wait: [failed('QUOTA_EXCEEDED', 403)] });
    await expect(compute.insertFirewallRule('p', RULE)).rejects.toMatchObject({
      title: 'Google Cloud quota reached',
    });
  });

  test('a passing error of an operation is a new intent', async () => {
    const { compute, requests } = scripted({
      insert: [RUNNING],
      wait: [failed('INTERNAL_ERROR', 500), DONE],
    });
    await compute.insertFirewallRule('p', RULE);
    const ids = requests('insert').map(({ requestId }) => requestId);
    expect(new Set(ids).size).toBe(2);
  });

  test('what a failed operation has done all the same is no conflict of the next intent', async () => {
    const { compute } = scripted({
      insert: [RUNNING, answer(409, 'alreadyExists')],
      wait: [failed('INTERNAL_ERROR', 500)],
    });
    await expect(compute.insertFirewallRule('p', RULE)).resolves.toBeUndefined();
  });

  test.each([
    ['INTERNAL_ERROR', 500, 'The Compute API is failing'],
    ['RESOURCE_OPERATION_RATE_EXCEEDED', 429, 'Too many requests to the Compute API'],
  ])('an operation that ends in %s each time is given up', async (code, status, title) => {
    const { compute, clock } = scripted({ insert: [RUNNING], wait: [failed(code, status)] });
    await expect(compute.insertFirewallRule('p', RULE)).rejects.toMatchObject({ title });
    expect(clock.now()).toBeLessThanOrEqual(180_000);
  });

  test.each(['INVALID_USAGE', 'RESOURCE_IN_USE_BY_ANOTHER_RESOURCE', 'ZONE_RESOURCE_POOL_EXHAUSTED'])(
    'an operation that ends in %s is not tried again',
    async (code) => {
      const { compute, requests } = scripted({ insert: [RUNNING], wait: [failed(code, 400)] });
      await expect(compute.insertFirewallRule('p', RULE)).rejects.toMatchObject({
        title: 'The Compute API refused the request',
      });
      expect(requests('insert')).toHaveLength(1);
    },
  );

  test('a rate limit that does not pass is no missing permission', async () => {
    const { compute } = scripted({ insert: [answer(403, 'rateLimitExceeded')] });
    await expect(compute.insertFirewallRule('p', RULE)).rejects.toMatchObject({
      title: 'Too many requests to the Compute API',
    });
  });

  test('a bug is no outage', async () => {
    const { compute, requests } = scripted({ insert: [new TypeError('oops')] });
    await expect(compute.insertFirewallRule('p', RULE)).rejects.toThrow(new TypeError('oops'));
    expect(requests('insert')).toHaveLength(1);
  });
});

describe('firewall rules', () => {
  test.each([
    ['insert', { ...RULE, sourceRanges: [] }],
    ['insert', { ...RULE, sourceRanges: [], sourceTags: [] }],
  ])('%s refuses a rule without a source', async (_name, rule) => {
    const { compute, sent } = scripted({});
    await expect(compute.insertFirewallRule('p', rule)).rejects.toMatchObject({
      title: 'A firewall rule without a source was refused',
    });
    await expect(compute.patchFirewallRule('p', 'r', { sourceRanges: [] })).rejects.toMatchObject({
      title: 'A firewall rule without a source was refused',
    });
    expect(sent).toEqual([]);
  });

  test('a name that is taken has an error of its own', async () => {
    const { compute } = scripted({ insert: [answer(409, 'alreadyExists')] });
    await expect(compute.insertFirewallRule('p', RULE)).rejects.toMatchObject({
      title: 'The firewall rule exists already',
    });
  });

  test.each([
    ['at once', [answer(404, 'notFound')], [DONE]],
    ['as an operation', [RUNNING], [failed('RESOURCE_NOT_FOUND', 404)]],
  ])('deleting what is gone is no error, %s', async (_when, del, wait) => {
    const { compute } = scripted({ delete: del, wait });
    await expect(compute.deleteFirewallRule('p', 'r')).resolves.toBe(false);
  });

  test('an error of the list is never taken for a project without rules', async () => {
    for (const status of [403, 404]) {
      const { compute } = scripted({ list: [answer(status, 'forbidden', 'no')] });
      await expect(compute.listFirewallRules('p')).rejects.toThrow();
    }
    const { compute: page } = scripted({ list: [html(404)] });
    await expect(page.listFirewallRules('p')).rejects.toMatchObject({
      title: 'Unexpected answer from the Compute API',
    });
  });

  test('the list has all pages', async () => {
    const message = (name: string): FirewallMessage => ({ name });
    const { compute, requests } = scripted({
      list: [
        [[message('a')], { pageToken: 't1' }],
        [[message('b')], { pageToken: 't2' }],
        [[message('c')], null],
      ],
    });
    expect((await compute.listFirewallRules('p')).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect(requests('list').map(({ pageToken }) => pageToken)).toEqual([undefined, 't1', 't2']);
  });

  test('a page token that repeats ends the list with an error', async () => {
    const { compute } = scripted({ list: [[[], { pageToken: 't' }]] });
    await expect(compute.listFirewallRules('p')).rejects.toMatchObject({
      title: 'Unexpected answer from the Compute API',
    });
  });

  test('a patch holds what was given, and nothing else', async () => {
    const { compute, requests } = scripted({});
    await compute.patchFirewallRule('p', 'r', {
      allowed: [{ protocol: 'tcp', ports: ['1'] }],
      disabled: false,
    });
    await compute.patchFirewallRule('p', 'r', {});
    expect(requests('patch').map(({ firewallResource }) => firewallResource)).toEqual([
      { allowed: [{ IPProtocol: 'tcp', ports: ['1'] }], disabled: false },
    ]);
  });
});

test('no guest attributes are null', async () => {
  const { compute } = scripted({ getGuestAttributes: [answer(404, 'notFound')] });
  expect(await compute.getGuestAttributes('hostkeys/')).toBeNull();
});
