import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecResult } from '../job/exec';
import { registryName } from '../registry/endpoint';
import { sha256 } from '../values/digest';
import { ActionError } from '../values/errors';
import { lastLine } from '../values/show';
import type { RunnerHost } from './host';
import type { Registry } from './read';
import { asRoot, type RootScript } from './root-script';

/** Where Docker looks for the CA of a registry, each time that it connects. */
const CERTS = '/etc/docker/certs.d';
/** What this action keeps about the CAs lies here, until the machine restarts; see certificate-file.sh. */
const STORE = '/run/gce-registry-action/certificates';
/** Read at build time: the bundle carries the script beside it. */
const SCRIPT: RootScript = {
  name: 'certificate-file.sh',
  text: readFileSync(join(__dirname, 'certificate-file.sh'), 'utf8'),
};

/** How this machine's Docker got to know a CA. */
export interface TakenCertificate {
  /** `owner`: the machine's owner has put that CA there, and nothing was changed or claimed. */
  readonly kind: 'written' | 'owner';
  /** Path of the file that holds it. */
  readonly file: string;
  /** A `hosts.toml` beside it makes Docker with the containerd store ignore it. */
  readonly ignored: boolean;
}

/** The directory in which Docker looks for the CA of a registry. */
export function certificateDirectory(registry: Registry): string {
  return `${CERTS}/${registryName(registry)}`;
}

/**
 * Lets this machine's Docker trust a CA for one registry. Docker needs no reload. A CA of the machine's owner stays
 * beside it, and an older one of this action is replaced.
 *
 * @param request.claim names the run: hexadecimal digits
 * @param request.expires when other runs may take this one for dead, in milliseconds since 1970
 * @param request.now milliseconds since 1970
 * @throws ActionError `Runner does not trust the registry`
 */
export async function takeCertificate(
  host: RunnerHost,
  {
    registry,
    pem,
    claim,
    expires,
    now,
  }: {
    readonly registry: Registry;
    readonly pem: string;
    readonly claim: string;
    readonly expires: number;
    readonly now: number;
  },
): Promise<TakenCertificate> {
  const directory = certificateDirectory(registry);
  const args = ['take', directory, claim, seconds(expires), seconds(now)];
  const result = await asRoot(host, SCRIPT, args, `${Buffer.from(pem).toString('base64')}\n`);
  const [kind, name, ...others] = result.stdout.trim().split('\n');
  if (result.status === 0 && (kind === 'written' || kind === 'owner'))
    return { kind, file: `${directory}/${name}`, ignored: others.includes('hosts.toml') };
  throw new ActionError('Runner does not trust the registry', {
    doing: `putting the CA of ${registryName(registry)} into ${directory}`,
    happened: whatHappened(result),
    next: `Mend what the message says, or set \`configure-runner: false\` and put the CA into ${directory}/ca.crt by hand`,
  });
}

/**
 * Takes back what `takeCertificate` did for a run; what another run still needs stays until that one ends. Does
 * nothing where there is nothing, the second time, say.
 *
 * @param lease.now milliseconds since 1970
 * @throws ActionError `Runner not restored`
 */
export async function releaseCertificate(
  host: RunnerHost,
  { directory, claim, now }: { readonly directory: string; readonly claim: string; readonly now: number },
): Promise<void> {
  const result = await asRoot(host, SCRIPT, ['release', directory, claim, seconds(now)]);
  // Who may not become root now could not do it before either.
  if (result.status === 0 || (await host.list(placeOf(directory))).length === 0) return;
  throw new ActionError('Runner not restored', {
    doing: `taking the CA of this run out of ${directory} of this runner`,
    happened: whatHappened(result),
    next: `Remove the CA from ${directory} by hand, unless it is yours`,
  });
}

/** What certificate-file.sh keeps about a directory. */
function placeOf(directory: string): string {
  return `${STORE}/${sha256(directory).slice(0, 16)}`;
}

function seconds(ms: number): string {
  return String(Math.floor(ms / 1000));
}

function whatHappened({ status, signal, stderr }: ExecResult): string {
  return lastLine(stderr) || `the command ended with ${status ?? signal}`;
}
