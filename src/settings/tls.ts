import { readCertificate, type ServerCertificate, UnusableCertificate } from '../values/certificate';
import { whyNotPublic } from '../values/public-host';
import { serverName } from '../values/server-name';
import { inputPlace, refuse } from './given';
import type { Mode, TlsSettings } from './types';
import type { Values } from './values';

/**
 * How the registry speaks TLS. What is wrong with a certificate is found here, before anything is done; whether it is for
 * an address that Google names is found as soon as that is known.
 *
 * @param now milliseconds since 1970
 * @throws ActionError `Invalid input`
 */
export function readTls(values: Values, mode: Mode, now: number): TlsSettings {
  const kind = values.get('tls');
  const acme = readAcme(values, kind === 'acme');
  if (kind !== 'acme' && values.has('acme-email'))
    refuse(
      { text: null, place: inputPlace('acme-email') },
      `\`tls\` is ${kind}`,
      'Set `tls: acme` beside it',
    );
  const given = (['tls-certificate', 'tls-private-key'] as const).filter((name) => values.has(name));
  const [first] = given;
  if (kind !== 'certificate') {
    if (first !== undefined) refuse(at(first), `\`tls\` is ${kind}`, 'Set `tls: certificate` beside it');
    return kind === 'acme' ? acme : { kind };
  }
  if (given.length === 2) return { kind, given: readPair(values, now) };
  const setsUp = mode === 'deploy' || mode === 'bootstrap';
  if (first === undefined && !setsUp) return { kind, given: null };
  const missing = first === 'tls-certificate' ? 'tls-private-key' : 'tls-certificate';
  return refuse(
    at(missing),
    'it is empty, and `tls` is certificate',
    'Set `tls-certificate` and `tls-private-key`',
  );
}

/**
 * Whether an address that Google names is one that the internet knows is found as soon as that is known.
 *
 * @param isAsked else the host may be any
 */
function readAcme(values: Values, isAsked: boolean): TlsSettings {
  const host = isAsked ? values.get('registry-host') : null;
  const obstacle = host === null ? null : whyNotPublic(serverName(host));
  if (obstacle !== null) {
    refuse(
      values.written('registry-host'),
      `${obstacle}, and \`tls: acme\` asks a public certificate authority`,
      'Use a name of the public DNS that leads to the instance, or leave `registry-host` away for its external address; or set `tls: private-ca`',
    );
  }
  return { kind: 'acme', directory: values.get('acme-directory'), email: values.get('acme-email') };
}

function readPair(values: Values, now: number): ServerCertificate {
  const host = values.get('registry-host');
  const names = host === null ? [] : [host.replace(/^\[|\]$/g, '')];
  try {
    return readCertificate(
      values.get('tls-certificate') ?? '',
      values.get('tls-private-key') ?? '',
      names,
      now,
    );
  } catch (error) {
    if (!(error instanceof UnusableCertificate)) throw error;
    return refuse(
      at('tls-certificate'),
      error.message,
      'Pass the certificate of the registry with those above it as PEM, and its key',
    );
  }
}

/** Neither is ever shown: PEM is long, and may be the key in the wrong place. */
function at(name: 'tls-certificate' | 'tls-private-key'): { readonly text: null; readonly place: string } {
  return { text: null, place: inputPlace(name) };
}
