import { environment, lab, output, succeeding } from './lab';
import { basics } from './machines';

// The conformance suite of the OCI distribution specification, through the front, with TLS and a login, held against the
// same registry without anything before it.
// https://github.com/opencontainers/distribution-spec/tree/main/conformance

jest.setTimeout(300_000);

const PASSWORD = 'Writer-Secret-1';
let ip: string;
let ca: string;

beforeAll(async () => {
  await Promise.all([lab('reset', 'registry-1'), lab('reset', 'runner')]);
  const { LAB_INSTANCE_IP, LAB_RUNNER_IP } = await environment();
  ip = String(LAB_INSTANCE_IP);
  const seen = await succeeding({
    ...(await basics()),
    'source-ranges': `${LAB_RUNNER_IP}/32`,
    tls: 'private-ca',
    username: 'ci',
    password: PASSWORD,
  });
  ca = String(seen.outputs['ca-certificate']);
});

/** Each test of the suite with its outcome, sorted; what it prints comes with it. */
async function outcomes(variables: Record<string, string>): Promise<{ cases: string[]; said: string }> {
  const exports = Object.entries(variables).map(([name, value]) => `export ${name}='${value}'`);
  const said = await output(
    'runner',
    `cd "$(mktemp -d)"; cat >ca.crt <<'END'
${ca}END
     export SSL_CERT_FILE=$PWD/ca.crt OCI_VERSION=1.1
     ${exports.join('; ')}
     /home/runner/work/_actions/lab/gce-registry-action/main/.lab/cache/bin/conformance-* 2>&1 | tail -40 || true
     echo ===; cat results/junit.xml`,
  );
  const [log = '', junit = ''] = said.split('===\n');
  const cases = [...junit.matchAll(/<testcase ([^>]*?)(\/>|>([\s\S]*?)<\/testcase>)/g)].map(
    ([, head, , body]) => {
      const name = /name="([^"]*)"/.exec(head ?? '')?.[1] ?? '';
      const outcome = /<(failure|error|skipped)/.exec(body ?? '')?.[1] ?? 'passed';
      return `${name}: ${outcome}`;
    },
  );
  return { cases: cases.sort(), said: log };
}

test('is as green through the front as against the registry alone', async () => {
  await output(
    'runner',
    `docker run -d --name bare -p 127.0.0.1:5001:5000 -e REGISTRY_STORAGE_DELETE_ENABLED=true registry:3
     timeout 30 bash -c 'until curl -fs -o /dev/null http://127.0.0.1:5001/v2/; do sleep 0.1; done'`,
  );
  const bare = await outcomes({ OCI_REGISTRY: '127.0.0.1:5001', OCI_TLS: 'disabled' });
  const front = await outcomes({
    OCI_REGISTRY: `${ip}:5000`,
    OCI_TLS: 'enabled',
    OCI_USERNAME: 'ci',
    OCI_PASSWORD: PASSWORD,
  });
  expect(bare.cases.length).toBeGreaterThan(50);
  expect(bare.cases.filter((each) => each.endsWith(': passed')).length).toBeGreaterThan(40);
  expect(front.cases).toEqual(bare.cases);
});
