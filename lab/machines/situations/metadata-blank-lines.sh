# shellcheck shell=bash
# On the host: the value of ssh-keys in the instance's metadata has blank lines, CRLF in one, and newlines at its end.
# Source: https://github.com/GoogleCloudPlatform/cluster-toolkit/pull/316 (Terraform shows every difference, and writes
# the value of a heredoc with its newlines)
export NODE_EXTRA_CA_CERTS=$LAB_CA_FILE
"$LAB_NODE" --input-type=module - <<'JS'
const { LAB_COMPUTE_URL, LAB_PROJECT, LAB_ZONE, LAB_INSTANCE, LAB_ACCESS_TOKEN } = process.env;
const url = `${LAB_COMPUTE_URL}projects/${LAB_PROJECT}/zones/${LAB_ZONE}/instances/${LAB_INSTANCE}`;
const headers = { authorization: `Bearer ${LAB_ACCESS_TOKEN}`, 'content-type': 'application/json' };
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHGfzYdkRQ2GjIcXv0QyvYJf5kQ3bqZ0m2r9Yh0Xl2cG';
const value = `\n\nanna:${key} anna@example.com\n\n# of operations\n  bela:${key} bela@example.com  \r\n\n\n`;
const { metadata } = await (await fetch(url, { headers })).json();
const items = [...(metadata.items ?? []).filter((item) => item.key !== 'ssh-keys'), { key: 'ssh-keys', value }];
const body = JSON.stringify({ fingerprint: metadata.fingerprint, items });
const begun = await (await fetch(`${url}/setMetadata`, { method: 'POST', headers, body })).json();
const operation = `${LAB_COMPUTE_URL}projects/${LAB_PROJECT}/zones/${LAB_ZONE}/operations/${begun.name}`;
const done = await (await fetch(`${operation}/wait`, { method: 'POST', headers })).json();
if (done.status !== 'DONE' || done.error !== undefined) throw new Error(JSON.stringify(done));
JS
