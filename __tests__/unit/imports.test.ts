import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { arrowsOf, tableOf, wrongArrows } from '../../scripts/imports';

test('no import of src leads up or sideways', () => {
  const wrong = wrongArrows(arrowsOf('src')).map(({ file, imported }) => `${file} imports ${imported}`);
  expect(wrong).toEqual([]);
});

describe('of a tree', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tree-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const tree = (files: Record<string, string>): string => {
    const root = mkdtempSync(join(folder, 't-'));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return root;
  };

  test.each([
    ['an import that leads up', 'values/a.ts', "import { b } from '../modes/b';", 1],
    ['a type that leads up', 'settings/a.ts', "import type { B } from '../ssh/b';", 1],
    ['an import sideways', 'docker/a.ts', "import '../registry/b';", 1],
    ['a re-export sideways', 'docker/a.ts', "export { b } from '../registry/b';", 1],
    ['a lazy import that leads up', 'job/a.ts', "const b = await import('../push/b');", 1],
    ['an import that leads down', 'modes/a.ts', "import { b } from '../values/b';", 0],
    ['an import inside the folder', 'instance/plan/a.ts', "import { b } from '../facts/b';", 0],
    ['the entry', 'main.ts', "import { b } from './modes/b';", 0],
  ])('%s', (_case, file, text, wrong) => {
    expect(wrongArrows(arrowsOf(tree({ [file]: text })))).toHaveLength(wrong);
  });

  test('a folder that stands in no level is an error', () => {
    expect(() => wrongArrows(arrowsOf(tree({ 'extra/a.ts': "import { b } from '../values/b';" })))).toThrow(
      /src\/extra/,
    );
  });

  test('the table counts', () => {
    const text = "import { a } from '../values/a';\nimport { b } from '../values/b';";
    const rows = tableOf(arrowsOf(tree({ 'job/a.ts': text }))).split('\n');
    expect(rows.find((row) => row.startsWith('job'))).toMatch(/ 2$/);
  });
});
