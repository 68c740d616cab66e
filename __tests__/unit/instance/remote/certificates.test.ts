import { execFileSync, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { type AddressInfo, isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { APPLY_SCRIPT, FACTS_SCRIPT } from '../../../../src/instance/remote/assets';

// The CA and the certificate as the real openssl makes them, and as the OpenSSL of Node's TLS takes them. Docker and the
// front are for the stories in the lab.

const NAMES = ['registry.example.com', '192.0.2.7', '2001:db8::7', 'localhost', '127.0.0.1'];
let stack: string;

beforeEach(() => {
  stack = mkdtempSync(join(tmpdir(), 'certificates-'));
});
afterEach(() => rmSync(stack, { recursive: true }));

function bash(script: string, ...args: string[]): void {
  const text = `${FACTS_SCRIPT}\n${APPLY_SCRIPT}\nSTACK=${stack}\ndocker() { return 1; }\n${script}\n`;
  execFileSync('bash', ['--norc', '-euo', 'pipefail', '-s', '--', ...args], { input: text });
}
const text = (path: string) => readFileSync(join(stack, path), 'utf8');
const mode = (path: string) => (statSync(join(stack, path)).mode & 0o777).toString(8);

/** Whether a client that trusts the CA takes what the server shows, under a name or an address. */
async function trusts(ca: string, shown: string, host: string): Promise<string> {
  const server = createServer({ cert: shown, key: shown });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve) => {
    const socket = connect({
      port,
      host: '127.0.0.1',
      ca,
      servername: isIP(host) !== 0 ? '' : host,
      checkServerIdentity: (_, certificate) => {
        const leaf = new X509Certificate(certificate.raw);
        const fits = isIP(host) !== 0 ? leaf.checkIP(host) : leaf.checkHost(host, { subject: 'never' });
        return fits === undefined ? new Error('another name') : undefined;
      },
    });
    const end = (what: string) => {
      socket.destroy();
      server.close(() => resolve(what));
    };
    socket.on('secureConnect', () => end('trusted'));
    socket.on('error', (error) => end(error.message));
  });
}

test('a CA for these names, and a certificate by it for all of them', async () => {
  bash('step_make_ca "$@"; step_make_certificate "$@"', ...NAMES);
  const [ca, server] = [
    new X509Certificate(text('ca/ca.crt')),
    new X509Certificate(text('front/tls/server.crt')),
  ];
  expect(ca.ca).toBe(true);
  expect(server.checkIssued(ca) && server.verify(ca.publicKey)).toBe(true);
  const days = (server.validToDate.getTime() - server.validFromDate.getTime()) / 86_400_000;
  expect(Math.round(days)).toBe(397);
  for (const name of NAMES)
    expect(await trusts(text('ca/ca.crt'), text('front/tls/server.pem'), name)).toBe('trusted');
  expect(await trusts(text('ca/ca.crt'), text('front/tls/server.pem'), '192.0.2.8')).toBe('another name');
  expect(text('ca/names')).toBe(`${NAMES.join('\n')}\n`);
});

test('keys are for root alone, and nothing else is left', () => {
  bash('step_make_ca "$@"; step_make_certificate "$@"', ...NAMES);
  expect([mode('ca'), mode('ca/ca.key'), mode('front/tls/server.pem')]).toEqual(['755', '600', '600']);
  expect(readdirSync(join(stack, 'ca')).sort()).toEqual(['ca.crt', 'ca.key', 'names']);
  expect(readdirSync(join(stack, 'front/tls')).sort()).toEqual(['server.crt', 'server.pem']);
  expect(text('front/tls/server.crt')).not.toContain('PRIVATE KEY');
});

test('whoever has stolen the key of the CA signs for nobody else', async () => {
  bash('step_make_ca "$@"; step_make_certificate google.com 192.0.2.7', ...NAMES);
  expect(await trusts(text('ca/ca.crt'), text('front/tls/server.pem'), 'google.com')).toBe(
    'permitted subtree violation',
  );
  bash('step_make_certificate registry.example.com 192.0.2.99', ...NAMES);
  expect(await trusts(text('ca/ca.crt'), text('front/tls/server.pem'), 'registry.example.com')).toBe(
    'permitted subtree violation',
  );
});

test('another certificate takes the place of the one before; the CA stays', () => {
  bash('step_make_ca "$@"; step_make_certificate "$@"', ...NAMES);
  const [ca, before] = [text('ca/ca.crt'), text('front/tls/server.crt')];
  bash('step_make_certificate "$@"', ...NAMES);
  expect(text('ca/ca.crt')).toBe(ca);
  expect(text('front/tls/server.crt')).not.toBe(before);
});

describe('a certificate by ACME', () => {
  // Docker as far as the step asks it: a front that started, and what it has logged.
  const front = (log: string) => `
    docker() {
      case "$1" in
        logs) cat <<'END'
${log}
END
        ;;
        container) echo 2026-01-01T00:00:00.5Z ;;
        *) return 1 ;;
      esac
    }
    timeout() { shift; "$@"; }
    OBTAIN_SECONDS=1
  `;
  const obtain = (log: string, file: string) => {
    const text = `${FACTS_SCRIPT}\n${APPLY_SCRIPT}\nSTACK=${stack}\n${front(log)}\nstep_obtain_certificate "$1" false ''\n`;
    const { status, stdout } = spawnSync(
      'bash',
      ['--norc', '-euo', 'pipefail', '-s', '--', join(stack, file)],
      {
        input: text,
        encoding: 'utf8',
      },
    );
    return { status, output: stdout.trim() };
  };
  const logged = (error: string) =>
    `{"level":"info","msg":"x"}\n{"level":"error","logger":"tls.obtain","msg":"could not get certificate from issuer","identifier":"r","issuer":"i","error":"${error}"}`;

  test('one that is there is enough', () => {
    bash('step_make_ca "$@"; step_make_certificate "$@"', 'r.example.com');
    expect(obtain('', 'front/tls/server.crt')).toEqual({ status: 0, output: '' });
  });

  test('what no further try can mend ends the wait, with its words', () => {
    const error =
      'HTTP 429 urn:ietf:params:acme:error:rateLimited - for \\"r\\", retry after 2026-11-29 07:31:46 UTC';
    expect(obtain(logged(error), 'none')).toEqual({
      status: 1,
      output: `The front got no certificate: ${error}`,
    });
  });

  test('what passes is waited for, and named at the end; so is silence', () => {
    const error = 'HTTP 400 urn:ietf:params:acme:error:connection - x';
    expect(obtain(`${logged(error)}\n{"level":"info","msg":"y"}`, 'none')).toEqual({
      status: 1,
      output: `The front got no certificate: ${error}`,
    });
    expect(obtain('', 'none')).toEqual({ status: 1, output: 'The front has no certificate after 1 s' });
  });
});
