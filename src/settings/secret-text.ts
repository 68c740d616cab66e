/** Longest run of base64 that is decoded; a service-account key has about 3,200 characters in it. */
const MOST = 65_536;

/**
 * Whether a text holds a private key, the JSON of a service account or an access token of Google, as it is or in base64:
 * what must not stand in a file that everybody with the repository can read.
 */
export function looksSecret(text: string): boolean {
  if (isSecret(text)) return true;
  const packed = text.match(/[A-Za-z0-9+/=_-]{40,}/g) ?? [];
  // Base64 is often broken into lines, which YAML joins with blanks.
  const joined = text.replace(/\s+/g, '');
  return [...packed, ...(/^[A-Za-z0-9+/=_-]+$/.test(joined) ? [joined] : [])].some((run) =>
    isSecret(Buffer.from(run.slice(0, MOST), 'base64').toString('latin1')),
  );
}

function isSecret(text: string): boolean {
  return (
    /-----BEGIN [A-Z ]{0,30}PRIVATE KEY/.test(text) ||
    /["']?private_key["']?\s*:/.test(text) ||
    /\bya29\.[\w.-]{20,}/.test(text)
  );
}
