/**
 * Makes the compiled sources in build/js fit for one file, which starts without reading another:
 *
 * - `readFileSync(join(__dirname, 'FILE'), 'utf8')` becomes the text of that file of src.
 * - `import('PACKAGE')` stays lazy, but gets no file of its own.
 *
 *     node scripts/bundle/one-file.ts
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const READ = /readFileSync\(join\(__dirname, '([^']+)'\), 'utf8'\)/g;
const LAZY = /\bimport\(('[^']+')\)/g;

for (const path of readdirSync(join(root, 'build/js'), { recursive: true, encoding: 'utf8' })) {
  if (!path.endsWith('.js')) continue;
  const file = join(root, 'build/js', path);
  const text = readFileSync(file, 'utf8');
  const changed = text
    .replaceAll(LAZY, 'import(/* webpackMode: "eager" */ $1)')
    .replaceAll(READ, (_, asset: string) =>
      JSON.stringify(readFileSync(join(root, 'src', dirname(path), asset), 'utf8')),
    );
  if (changed.includes('__dirname')) throw new Error(`${path} reads a file in a form that is not known here`);
  if (changed !== text) writeFileSync(file, changed);
}
