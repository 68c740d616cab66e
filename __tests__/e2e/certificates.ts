import { output } from './lab';

/**
 * A certificate for these names (`DNS:a,IP:b`) by an authority below a root that nobody knows, as an operator has it: the
 * chain shuffled, with its root. As the inputs of the action.
 */
export async function ownCertificate(names: string, days = 90): Promise<Record<string, string>> {
  const made = await output(
    'runner',
    `cd "$(mktemp -d)"; new() { openssl req -new -newkey rsa:2048 -nodes -keyout $1.key -subj /CN=$1 -out $1.csr 2>/dev/null; }
     new root && new middle && new leaf
     printf 'basicConstraints=critical,CA:TRUE\\nkeyUsage=keyCertSign' >ca; printf 'subjectAltName=${names}' >names
     openssl x509 -req -in root.csr -key root.key -days 900 -extfile ca -out root.crt 2>/dev/null
     openssl x509 -req -in middle.csr -CA root.crt -CAkey root.key -days 900 -extfile ca -out middle.crt 2>/dev/null
     openssl x509 -req -in leaf.csr -CA middle.crt -CAkey middle.key -days ${days} -extfile names -out leaf.crt 2>/dev/null
     cat root.crt leaf.crt middle.crt; echo ===; openssl rsa -in leaf.key -traditional 2>/dev/null`,
  );
  const [certificate = '', key = ''] = made.split('===\n');
  return { tls: 'certificate', 'tls-certificate': certificate, 'tls-private-key': key };
}
