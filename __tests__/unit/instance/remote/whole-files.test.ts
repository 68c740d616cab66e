import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { APPLY_SCRIPT, FACTS_SCRIPT } from '../../../../src/instance/remote/assets';

// What the lab cannot show, since its machines share the page cache of the host: nothing takes its name before its
// content is on the disk. The programs are the real ones, behind scripts that write down who calls them.

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'whole-'));
  for (const program of ['sync', 'mv', 'cat'])
    writeFileSync(
      join(directory, program),
      `#!/bin/sh\necho "${program} $*" >>'${directory}/calls'\nexec /bin/${program} "$@"\n`,
      { mode: 0o755 },
    );
});
afterEach(() => rmSync(directory, { recursive: true }));

function bash(script: string, path: string): void {
  // The scripts set PATH themselves.
  const text = `${FACTS_SCRIPT}\n${APPLY_SCRIPT}\nPATH=${directory}:$PATH\n${script}\n`;
  execFileSync('bash', ['--norc', '-euo', 'pipefail', '-s', '--', path], { input: text });
}

/** Calls in order, with the temporary name and the directory made the same. */
function calls(): string[] {
  const text = readFileSync(join(directory, 'calls'), 'utf8');
  return text
    .replaceAll(directory, 'DIR')
    .replace(/\.gce-registry\.\w+/g, '.gce-registry.*')
    .trim()
    .split('\n');
}

test('a file is written beside its place, synced, renamed, and the directory synced', () => {
  const path = join(directory, 'etc', 'file');
  bash('printf \'content\\n\' | put_file "$1" 0640', path);
  expect(readFileSync(path, 'utf8')).toBe('content\n');
  expect(calls()).toEqual([
    'cat ',
    'sync -- DIR/etc/.file.gce-registry.*',
    'mv -fT -- DIR/etc/.file.gce-registry.* DIR/etc/file',
    'sync -- DIR/etc',
  ]);
});

test('what a killed run has left beside it goes, and nothing else', () => {
  const folder = join(directory, 'etc');
  bash('printf \'content\\n\' | put_file "$1" 0640', join(folder, 'other'));
  for (const name of ['.file.gce-registry.Ab3dEf7h', '.file.mine', '.other.gce-registry.Ab3dEf7h'])
    writeFileSync(join(folder, name), 'half');
  bash('printf \'content\\n\' | put_file "$1" 0640', join(folder, 'file'));
  expect(readdirSync(folder).sort()).toEqual(['.file.mine', '.other.gce-registry.Ab3dEf7h', 'file', 'other']);
});

test.each([
  ['whole', '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ==\n-----END PGP PUBLIC KEY BLOCK-----\n', 0],
  ['cut off', '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ', 1],
  ['empty', '', 1],
  ['binary', '\0\x01\x02', 1],
])('a key that is %s', (_, content, status) => {
  const path = join(directory, 'docker.asc');
  writeFileSync(path, content);
  const check = `if is_whole_key "$1"; then exit 0; fi; exit 1`;
  if (status === 0) bash(check, path);
  else expect(() => bash(check, path)).toThrow();
});
