import { compute } from './compute';
import { action, lab, output, succeeding } from './lab';
import { basics, ownLogin } from './machines';

/** Instances whose sshd, keys, metadata and addresses are not those of a fresh image, and keys as people paste them. */
jest.setTimeout(300_000);

let inputs: Record<string, string>;

beforeAll(async () => {
  await lab('fault', 'clear');
  await lab('reset', 'registry-1');
  inputs = { ...(await basics()), mode: 'bootstrap', ui: 'none' };
  await succeeding(inputs);
});
afterEach(() => lab('fault', 'clear'));

/** A run that must fail: its error, and how long it took. */
async function refused(changes: Record<string, string> = {}): Promise<{ message: string; seconds: number }> {
  const { exitCode, annotations, seconds } = await action({ ...inputs, ...changes });
  expect(exitCode).toBe(1);
  const [error] = annotations.filter(({ level }) => level === 'error');
  return { message: error?.message ?? '', seconds };
}

const forgetSettings = () =>
  output('registry-1', 'rm -f /etc/ssh/sshd_config.d/20-*.conf; systemctl reload ssh.service');

describe('sshd', () => {
  afterEach(forgetSettings);

  test.each([
    [
      'kex',
      /no key exchange algorithm is known to both sides: the server has sntrup761\S*, this action has \S*curve25519-sha256/,
    ],
    [
      'mac',
      /no (?:C->S|S->C) MAC is known to both sides: the server has umac-128-etm@openssh\.com, this action has \S*hmac-sha2-256/,
    ],
    [
      'host-key',
      /no host key is known to both sides: the server has ssh-ed25519-cert-v01@openssh\.com, this action has \S*ssh-ed25519/,
    ],
  ])(
    'that has nothing in common with this action (%s): said at once, with both lists',
    async (part, says) => {
      await lab('situation', 'sshd-nothing-in-common', 'registry-1', part);
      const { message, seconds } = await refused();
      expect(message).toMatch(/^No common SSH algorithm: /);
      expect(message).toMatch(says);
      expect(seconds).toBeLessThan(45);
    },
  );

  test('as hardening guides leave it: the run goes on as ever', async () => {
    await lab('situation', 'sshd-hardened', 'registry-1');
    expect((await succeeding(inputs)).outputs.changed).toBe('false');
  });

  test('that takes no key for this user says so at once', async () => {
    const own = await ownLogin();
    await output(
      'registry-1',
      `printf '%s\\n' 'Match User deployer' '  AuthenticationMethods password' >/etc/ssh/sshd_config.d/20-theirs.conf
       systemctl reload ssh.service`,
    );
    const { message, seconds } = await refused(own);
    expect(message).toMatch(/^SSH key is not enough: .*AuthenticationMethods/);
    expect(seconds).toBeLessThan(45);
  });
});

test('metadata with blank lines, CRLF and a final newline are byte for byte as before, after post', async () => {
  await lab('situation', 'metadata-blank-lines', 'registry-1');
  const keys = async () => {
    const { metadata } = await compute<{ metadata: { items: { key: string; value: string }[] } }>(
      'GET',
      'zones/europe-west1-b/instances/registry-1',
    );
    return metadata.items.find(({ key }) => key === 'ssh-keys')?.value;
  };
  const before = await keys();
  expect(before).toMatch(/^\n\nanna:.*\n\n\n$/s);
  await succeeding(inputs);
  expect(await keys()).toBe(before);
});

test('an instance with IPv6 only: its own address is tried, and never this machine’s', async () => {
  await lab('situation', 'ipv6-only', 'registry-1');
  await output('runner', 'systemd-run --quiet --unit decoy /usr/sbin/sshd -D -p 22 2>/dev/null || true');
  const { message } = await refused();
  expect(message).toMatch(/^(?:SSH timed out|No SSH connection): connecting to [0-9a-f:]+:22: /);
  expect(message).not.toMatch(/127\.0\.0\.1|localhost|::1:22/);
});

describe('a host key, as people paste it', () => {
  const publicKey = () => output('registry-1', 'cat /etc/ssh/ssh_host_ed25519_key.pub');

  test.each<[string, () => Promise<string>]>([
    [
      'a whole line of ssh-keygen -lf',
      () => output('registry-1', 'ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub'),
    ],
    [
      'a line of gcloud’s known_hosts',
      async () => {
        const { id } = await compute<{ id: string }>('GET', 'zones/europe-west1-b/instances/registry-1');
        return `compute.${id} ${(await publicKey()).split(' ').slice(0, 2).join(' ')}`;
      },
    ],
    [
      'all that ssh-keyscan prints',
      () => output('registry-1', 'ssh-keyscan 127.0.0.1 2>&1 | sed "s/127.0.0.1/$(hostname)/"'),
    ],
    ['with CRLF and comments', async () => `# of operations\r\nregistry-1 ${await publicKey()} by hand\r\n`],
  ])('%s', async (_case, key) => {
    expect((await succeeding({ ...inputs, 'ssh-host-key': await key() })).outputs.changed).toBe('false');
  });
});

test.each<[string, (file: string) => string]>([
  ['PKCS#8, as Terraform and openssl write it', (file) => `openssl pkcs8 -topk8 -nocrypt -in ${file}`],
  ['with CRLF', (file) => `sed 's/$/\\r/' ${file}`],
  ['without its last newline', (file) => `printf %s "$(cat ${file})"`],
])('a private key %s', async (_case, print) => {
  await ownLogin();
  const file = '/root/pasted';
  const key = await output(
    'registry-1',
    `rm -f ${file} ${file}.pub; ssh-keygen -q -t rsa -b 2048 -m PEM -N '' -f ${file}
     install -m 600 -o deployer -g deployer ${file}.pub /home/deployer/.ssh/authorized_keys
     ${print(file)}`,
  );
  const seen = await succeeding({ ...inputs, 'ssh-user': 'deployer', 'ssh-private-key': key });
  expect(seen.maskedLog).not.toContain(key.split('\n')[1]);
});
