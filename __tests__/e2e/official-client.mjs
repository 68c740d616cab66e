// The official client library against the lab, as a plain script: prints what it saw as one JSON object.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import {
  FirewallsClient,
  GlobalOperationsClient,
  InstancesClient,
  ZoneOperationsClient,
} from '@google-cloud/compute';
import { OAuth2Client } from 'google-auth-library';

const { LAB_COMPUTE_URL, LAB_ACCESS_TOKEN, LAB_PROJECT, LAB_ZONE, LAB_INSTANCE } = process.env;
const { hostname, port } = new URL(LAB_COMPUTE_URL);
const authClient = new OAuth2Client();
authClient.setCredentials({ access_token: LAB_ACCESS_TOKEN });
const options = {
  fallback: 'rest',
  apiEndpoint: hostname,
  port: Number(port || 443),
  authClient,
  projectId: LAB_PROJECT,
};
const firewalls = new FirewallsClient(options);
const instances = new InstancesClient(options);
const globalOperations = new GlobalOperationsClient(options);
const zoneOperations = new ZoneOperationsClient(options);

const project = LAB_PROJECT;
const place = { project, zone: LAB_ZONE, instance: LAB_INSTANCE };
const name = `client-${randomUUID().slice(0, 8)}`;

/** Waits for an operation; returns it as it ended. */
async function ended([{ latestResponse }]) {
  let operation = latestResponse;
  while (operation.status !== 'DONE') {
    [operation] = operation.zone
      ? await zoneOperations.wait({ project, zone: LAB_ZONE, operation: operation.name })
      : await globalOperations.wait({ project, operation: operation.name });
  }
  return operation;
}

const firewallResource = {
  name,
  network: 'global/networks/default',
  allowed: [{ IPProtocol: 'tcp', ports: ['5000'] }],
  sourceRanges: ['192.0.2.0/24'],
  targetTags: ['client'],
};

async function rules() {
  const requestId = randomUUID();
  const inserted = await ended(await firewalls.insert({ project, firewallResource, requestId }));
  const again = await ended(await firewalls.insert({ project, firewallResource, requestId }));
  assert.equal(again.name, inserted.name, 'the same requestId is the same operation');
  await assert.rejects(firewalls.insert({ project, firewallResource }), /already exists/);
  await ended(await firewalls.patch({ project, firewall: name, firewallResource: { priority: 900 } }));
  const [rule] = await firewalls.get({ project, firewall: name });
  const pages = [];
  for await (const { name: each } of firewalls.listAsync({ project, maxResults: 2 })) pages.push(each);
  await ended(await firewalls.delete({ project, firewall: name }));
  await assert.rejects(firewalls.get({ project, firewall: name }), { code: 5 });
  return { name, rule, pages };
}

async function metadata() {
  const [before] = await instances.get(place);
  const { fingerprint, items } = before.metadata;
  const write = (key) =>
    instances.setMetadata({
      ...place,
      metadataResource: { fingerprint, items: [...items, { key, value: 'x' }] },
    });
  const operations = await Promise.all(
    [write('client-a'), write('client-b')].map(async (it) => ended(await it)),
  );
  await assert.rejects(write('client-c'), { code: 9, message: /Supplied fingerprint does not match/ });
  const [after] = await instances.get(place);
  const restored = { fingerprint: after.metadata.fingerprint, items };
  await ended(await instances.setMetadata({ ...place, metadataResource: restored }));
  const errors = operations.flatMap(({ error }) => error?.errors ?? []).map(({ code }) => code);
  return { errors, kept: after.metadata.items.length - items.length };
}

const seen = { ...(await rules()), metadata: await metadata() };
process.stdout.write(JSON.stringify(seen));
