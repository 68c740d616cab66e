import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const text = (path: string) => readFileSync(path, 'utf8');
const filesUnder = (folder: string, ending: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name));

describe('docs/troubleshooting.md', () => {
  const headings = [...text('docs/troubleshooting.md').matchAll(/^### (.+)$/gm)].map(([, title]) => title);
  const errors = filesUnder('src', '.ts').flatMap((file) =>
    [
      ...text(file).matchAll(
        /(?:new ActionError|extends ActionError[\s\S]*?super)\(\s*(?:(['"])((?:\\.|(?!\1).)*)\1)?/g,
      ),
    ].map(([, , title]): [string, string | undefined] => [file, title?.replaceAll('\\', '')]),
  );

  test('every title of an error is constant text', () => {
    expect(errors.filter(([, title]) => title === undefined)).toEqual([]);
  });

  test('every title of an error has its heading', () => {
    expect(errors.filter(([, title]) => !headings.includes(title))).toEqual([]);
  });

  test('every heading is the title of an error, once', () => {
    const titles = errors.map(([, title]) => title);
    expect(headings.filter((heading) => !titles.includes(heading))).toEqual([]);
    expect(new Set(headings).size).toBe(headings.length);
  });
});

test('docs/dependencies.md names every npm package that package.json does, and no other', () => {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(text('package.json'));
  const [action = '', tools = ''] = text('docs/dependencies.md').split(/^## /m).slice(1);
  const named = (section: string) =>
    [...section.matchAll(/^\| (`.+?) \|/gm)]
      .flatMap(([, cell]) => [...(cell ?? '').matchAll(/`([^`]+)`(?! \(PyPI)/g)])
      .map(([, name]) => name)
      .sort();
  expect(named(action)).toEqual(Object.keys(dependencies).sort());
  expect(named(tools)).toEqual(Object.keys({ ...devDependencies, ...optionalDependencies }).sort());
});

const ROLES = text('docs/security.md')
  .split(/^(?=gcloud iam roles create )/m)
  .slice(1);

test.each(ROLES)(
  'the table of docs/security.md explains exactly the permissions of its command: %.50s',
  (role) => {
    const [, command] = /^gcloud iam roles create .*--permissions=(\S+)$/m.exec(role) ?? [];
    const explained = [...role.matchAll(/^\| (`compute\..+?) \|/gm)].flatMap(([, cell]) => {
      const [first = '', ...others] = [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? '');
      return [first, ...others.map((verb) => first.replace(/\.[^.]+$/, verb))];
    });
    expect(explained.sort()).toEqual(command?.split(',').sort());
  },
);

describe('links', () => {
  const documents = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...filesUnder('docs', '.md')];
  const anchorsOf = (path: string) =>
    [...text(path).matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
      (title ?? '')
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    );

  test.each(documents)('of %s lead somewhere', (document) => {
    const targets = [...text(document).matchAll(/\]\((?!https?:)([^)]+)\)/g)].map(
      ([, target]) => target ?? '',
    );
    const broken = targets.filter((target) => {
      const [file = '', anchor] = target.split('#');
      const path = file === '' ? document : join(dirname(document), file);
      return !existsSync(path) || (anchor !== undefined && !anchorsOf(path).includes(anchor));
    });
    expect(broken).toEqual([]);
  });
});
