import { action, complaints, environment, lab, output, type Seen, succeeding, waitFor } from './lab';
import { basics } from './machines';

// A certificate by ACME that the front does not get renewed: the health check names it, and why, long before the end. Judged
// by OpenSSL.

jest.setTimeout(150_000);

let inputs: Record<string, string>;
let ip: string;
let host: string;

beforeAll(async () => {
  await lab('fault', 'clear');
  await lab('reset');
  const { LAB_INSTANCE_IP, LAB_INSTANCE_HOST } = await environment();
  [ip, host] = [String(LAB_INSTANCE_IP), String(LAB_INSTANCE_HOST)];
  inputs = { ...(await basics()), mode: 'bootstrap', tls: 'acme', 'registry-host': host };
  await succeeding(inputs);
  await lab('fault', 'acme-down');
});
afterAll(() => lab('fault', 'clear'));

const check = () => action({ ...inputs, mode: 'health-check' });
const rowOf = ({ maskedLog }: Seen) => /^Certificate +.*$/m.exec(maskedLog)?.[0];

/** The serial number of what the port shows. */
const shown = () =>
  output(
    'registry-1',
    `openssl s_client -connect ${ip}:5000 -servername ${host} </dev/null 2>/dev/null | openssl x509 -noout -serial`,
  );

test('a renewal that fails: the check says so, and why, days before the end; runs go on', async () => {
  await lab('fault', 'certificate-expires', String(5 * 86_400));
  await waitFor(
    'registry-1',
    "docker logs --since 5m gce-registry-front-1 2>&1 | grep 'could not get certificate from issuer.*maintenance' >/dev/null",
  );
  const serial = await shown();
  const seen = await check();
  expect([seen.exitCode, seen.outputs.health]).toEqual([0, 'degraded']);
  expect(rowOf(seen)).toMatch(
    new RegExp(
      `^Certificate +degraded +for ${host}, for 4 more days, until \\S+; its renewal is overdue \\(the last try: .*down for maintenance`,
    ),
  );
  expect((await succeeding(inputs)).outputs.changed).toBe('false');
  expect(await shown()).toBe(serial);
});

test('past its end the check is unhealthy; once the authority is back, the next run gets another', async () => {
  await lab('fault', 'certificate-expires', '0');
  const late = await check();
  expect([late.exitCode, late.outputs.health]).toEqual([1, 'unhealthy']);
  expect(rowOf(late)).toMatch(/unhealthy +it expired on \S+ \(the last try: .*down for maintenance/);
  const serial = await output(
    'registry-1',
    'openssl x509 -noout -serial -in /etc/gce-registry/acme/caddy/certificates/*/*/*.crt',
  );
  // The fault has no certificate of before to put back: the run is to get another.
  await output('registry-1', 'rm -r /var/lib/gcelab/certificate');
  await lab('fault', 'clear');
  expect((await succeeding(inputs)).outputs.changes).toContain('it has expired');
  expect(await shown()).not.toBe(serial);
  expect(complaints(await check())).toBe('');
});
