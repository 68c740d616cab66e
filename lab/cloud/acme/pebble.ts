import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Certificates } from '../certificates.ts';

/** A certificate authority that runs. */
export interface Pebble {
  readonly port: number;
  /** PEM of its root, signed by the authority that the machines trust. */
  readonly crossSigned: string;
}

export interface PebbleOptions {
  /** Path of the program. */
  readonly program: string;
  /** Folder for its configuration and its log. */
  readonly runDir: string;
  readonly certificates: Certificates;
  /** The DNS that it asks, `ADDRESS:PORT`. */
  readonly dns: string;
}

/**
 * What Let's Encrypt offers, with its times: https://letsencrypt.org/docs/profiles/. An order that names none gets `classic`
 * there; pebble takes either.
 */
const PROFILES = {
  classic: { description: 'The profile you are accustomed to', validityPeriod: 90 * 86_400 },
  shortlived: { description: 'A short-lived certificate profile', validityPeriod: 160 * 3600 },
};
const STARTS_WITHIN_MS = 10_000;

/**
 * Starts Let's Encrypt's own miniature, pebble, on this host: its challenges leave from the host's address in the lab's
 * network, meet the instances' firewall, and are not the runner's. Its root is new each time, and is signed by one that
 * stays, as a root of Let's Encrypt was by IdenTrust's before it was in the stores
 * (https://letsencrypt.org/certificates/).
 */
export async function startPebble(options: PebbleOptions): Promise<Pebble> {
  const [port, managementPort] = [await freePort(), await freePort()];
  const child = run(options, port, managementPort);
  process.once('exit', () => child.kill());
  const root = await rootOf(child, managementPort);
  return { port, crossSigned: crossSign(root, options) };
}

function run({ program, runDir, certificates, dns }: PebbleOptions, port: number, management: number) {
  const file = join(runDir, 'pebble.json');
  const pebble = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${management}`,
    certificate: certificates.certFile,
    privateKey: certificates.keyFile,
    httpPort: 80,
    tlsPort: 443,
    keyAlgorithm: 'ecdsa',
    profiles: PROFILES,
  };
  writeFileSync(file, JSON.stringify({ pebble }));
  const log = openSync(join(runDir, 'pebble.log'), 'w');
  const env = { ...process.env, PEBBLE_VA_NOSLEEP: '1' };
  return spawn(program, ['-config', file, '-dnsserver', dns], { env, stdio: ['ignore', log, log] });
}

/** Waits for it, and returns the PEM of its root. */
async function rootOf(child: ChildProcess, port: number): Promise<string> {
  for (const end = Date.now() + STARTS_WITHIN_MS; Date.now() < end; await delay(50)) {
    if (child.exitCode !== null) throw new Error(`pebble ended with ${child.exitCode}`);
    const root = await get(port, '/roots/0').catch(() => null);
    if (root !== null) return root;
  }
  child.kill();
  throw new Error('pebble does not answer');
}

function get(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const question = request({ host: '127.0.0.1', port, path, rejectUnauthorized: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => resolve(Buffer.concat(chunks).toString()));
    });
    question.on('error', reject).end();
  });
}

function crossSign(root: string, { runDir, certificates }: PebbleOptions): string {
  const [file, extensions, signed] = ['pebble-root.pem', 'pebble-root.ext', 'pebble-cross.pem'].map((name) =>
    join(runDir, name),
  ) as [string, string, string];
  writeFileSync(file, root);
  const lines = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'];
  writeFileSync(
    extensions,
    [...lines, 'subjectKeyIdentifier=hash', 'authorityKeyIdentifier=keyid', ''].join('\n'),
  );
  execFileSync(
    'openssl',
    [
      ...['x509', '-in', file, '-CA', certificates.rootFile, '-CAkey', certificates.rootKeyFile],
      ...[
        '-set_serial',
        String(Date.now()),
        '-days',
        '365',
        '-clrext',
        '-extfile',
        extensions,
        '-out',
        signed,
      ],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  return readFileSync(signed, 'utf8');
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
