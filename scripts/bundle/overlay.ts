/**
 * Writes build/node_modules: copies of the packages that go into the bundle, without the parts that the action never
 * reaches. The compiled sources in build/js find them there before the real ones, which stay untouched.
 *
 *     node scripts/bundle/overlay.ts
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { minifySync } from '@swc/core';
import { pruneDescriptor } from './descriptor.ts';
import { ADDED, EDITED, REPLACED } from './left-out.ts';

const root = join(import.meta.dirname, '../..');
const to = join(root, 'build');

/** Where the Compute clients and their descriptor (12 MB, of which they need some 40 kB) are. */
const COMPUTE = 'node_modules/@google-cloud/compute';
const CLIENTS =
  /^\/(package\.json|build\/src\/v1\/(instances|firewalls|disks|snapshots|resource_policies|(global|zone|region)_operations)_client.*)$/;

interface LockFile {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly optional?: boolean }>>;
}

/** Directories of the packages that are installed for the action itself. */
function packages(): string[] {
  const lock: LockFile = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return Object.entries(lock.packages)
    .filter(([path, { dev, optional }]) => path.startsWith('node_modules/') && !dev && !optional)
    .map(([path]) => path)
    .filter((path) => !path.startsWith('node_modules/@types/') && path !== COMPUTE);
}

/** Neither types, source maps and binaries, nor packages inside the package: they have an entry of their own. */
const UNWANTED = /\.(d\.[cm]?ts|map|node|exe)$|\/node_modules$/;

function copy(path: string): void {
  cpSync(join(root, path), join(to, path), {
    recursive: true,
    filter: (file) => !UNWANTED.test(file.slice(join(root, path).length)),
  });
}

function copyCompute(): void {
  cpSync(join(root, COMPUTE), join(to, COMPUTE), {
    recursive: true,
    filter: (file) => {
      const inside = file.slice(join(root, COMPUTE).length);
      return CLIENTS.test(inside) || ['', '/build', '/build/src', '/build/src/v1'].includes(inside);
    },
  });
  const protos = 'build/protos/protos.json';
  const descriptor = JSON.parse(readFileSync(join(root, COMPUTE, protos), 'utf8'));
  write(join(COMPUTE, protos), JSON.stringify(pruneDescriptor(descriptor)));
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(to, path)), { recursive: true });
  writeFileSync(join(to, path), text);
}

/** ncc keeps every function of a module, and valibot has all of its own in one. */
const VALIBOT = 'node_modules/valibot/dist/index.mjs';

/** What src takes from valibot, as `v.NAME`. */
function namesUsed(): string[] {
  const folder = join(root, 'src/settings');
  const texts = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
  const names = texts.flatMap((text) =>
    [...text.matchAll(/\bv\.([a-z]\w*)/g)].map(([, name]) => String(name)),
  );
  return [...new Set(names)].sort();
}

/** A module that exports these names alone, without what they do not reach. Throws where it does not have one of them. */
function shaken(text: string, names: readonly string[]): string {
  const [all = '', list = ''] = /\nexport \{([^}]*)\};?\s*$/.exec(text) ?? [];
  const exported = list.split(',').map((name) => name.trim());
  for (const name of names) if (!exported.includes(name)) throw new Error(`valibot has no ${name}`);
  const reduced = `${text.slice(0, text.length - all.length)}\nexport { ${names.join(', ')} };\n`;
  const compress = { unused: true, side_effects: true, toplevel: true, passes: 3 };
  return minifySync(reduced, { module: true, compress, mangle: false }).code;
}

rmSync(join(to, 'node_modules'), { recursive: true, force: true });
for (const path of packages()) copy(path);
copyCompute();
for (const [path, text] of Object.entries(REPLACED)) {
  // A package that moved its files must not bring back what was left out.
  readFileSync(join(to, 'node_modules', path));
  write(join('node_modules', path), text);
}
for (const [path, [from, by]] of EDITED) {
  const file = join('node_modules', path);
  const text = readFileSync(join(to, file), 'utf8');
  if (text.split(from).length !== 2) throw new Error(`${path} does not have \`${from}\` once`);
  write(
    file,
    text.replace(from, () => by),
  );
}
for (const [path, text] of Object.entries(ADDED)) write(join('node_modules', path), text);
write(VALIBOT, shaken(readFileSync(join(root, VALIBOT), 'utf8'), namesUsed()));
