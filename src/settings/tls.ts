import { readCertificate, type ServerCertificate, UnusableCertificate } from '../values/certificate';
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
  const given = (['tls-certificate', 'tls-private-key'] as const).filter((name) => values.has(name));
  const [first] = given;
  if (kind !== 'certificate') {
    if (first !== undefined) refuse(at(first), `\`tls\` is ${kind}`, 'Set `tls: certificate` beside it');
    return { kind };
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
