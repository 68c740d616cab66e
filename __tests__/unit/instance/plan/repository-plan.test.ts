import type { Facts } from '../../../../src/instance/facts/facts';
import { repositorySteps } from '../../../../src/instance/plan/repository-plan';
import { BARE, DESIRED } from '../example';

const LIST = '/etc/apt/sources.list.d/theirs.list';
const STANZA = '/etc/apt/sources.list.d/theirs.sources';
const KEY = '/etc/apt/keyrings/theirs.asc';
const URI = 'https://download.docker.com/linux/debian';
const FETCHED = { aptLists: ['download.docker.com_linux_debian_dists_trixie_InRelease'] };
const WITH_KEY = { aptKeys: new Map([[KEY, true]]) };

const list = (text: string) => ({ aptSources: new Map([[LIST, `${text}\n`]]) });
const stanza = (text: string) => ({ aptSources: new Map([[STANZA, `${text}\n`]]) });
const signed = `deb [arch=amd64 signed-by=${KEY}] ${URI} trixie stable`;

/** Kinds of the steps, with the file of those that have one. */
const stepsWith = (facts: Partial<Facts>): string[] =>
  repositorySteps(DESIRED, { ...BARE, ...facts }).map(({ action }) =>
    'path' in action ? `${action.kind} ${action.path}` : action.kind,
  );

const OURS = [
  'install-keyring /etc/apt/keyrings/docker.asc',
  'write-file /etc/apt/sources.list.d/docker.sources',
];

test('without an entry, ours is made', () => {
  expect(stepsWith({})).toEqual(OURS);
});

test.each<[string, Partial<Facts>]>([
  ['with its key', { ...list(signed), ...WITH_KEY }],
  ['with a slash at its end', { ...list(signed.replace('debian', 'debian/')), ...WITH_KEY }],
  ['that trusts without a signature', list(`deb [trusted=yes] ${URI} trixie stable`)],
  [
    'in deb822 form',
    {
      ...stanza(`Types: deb\nURIs: ${URI}\nSuites: trixie\nComponents: stable\nSigned-By: ${KEY}`),
      ...WITH_KEY,
    },
  ],
  [
    'with its key in itself',
    stanza(
      `Types: deb\nURIs: ${URI}\nSuites: trixie\nComponents: stable\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .`,
    ),
  ],
])('an entry %s is used: as it is where apt has fetched it, else once apt has', (_, facts) => {
  expect(stepsWith({ ...facts, ...FETCHED })).toEqual([]);
  expect(stepsWith(facts)).toEqual(['check-repository']);
});

test('an entry that names no key is verified again, since the lists outlive a key that is removed', () => {
  const keyless = list(`deb ${URI} trixie stable`);
  expect(stepsWith({ ...keyless, ...FETCHED })).toEqual(['check-repository']);
  expect(stepsWith(keyless)).toEqual([`remove-file ${LIST}`, ...OURS]);
});

test.each<[string, Partial<Facts>]>([
  ['whose key is missing', list(signed)],
  ['whose key is not whole', { ...list(signed), aptKeys: new Map([[KEY, false]]) }],
  ['of another release', { ...list(signed.replace('trixie', 'bookworm')), ...WITH_KEY }],
  ['of another architecture', { ...list(signed.replace('amd64', 'arm64')), ...WITH_KEY }],
  ['without the component stable', { ...list(signed.replace('stable', 'test')), ...WITH_KEY }],
])('an entry %s gives way to ours, fetched or not', (_, facts) => {
  expect(stepsWith(facts)).toEqual([`remove-file ${LIST}`, ...OURS]);
  expect(stepsWith({ ...facts, ...FETCHED })).toEqual([`remove-file ${LIST}`, ...OURS]);
});

test('two entries with different keys, which apt refuses, give way to ours', () => {
  const other = signed.replace(KEY, '/usr/share/keyrings/docker.gpg');
  const keys = new Map([
    [KEY, true],
    ['/usr/share/keyrings/docker.gpg', true],
  ]);
  expect(stepsWith({ ...list(`${signed}\n${other}`), aptKeys: keys, ...FETCHED })).toEqual([
    `remove-file ${LIST}`,
    ...OURS,
  ]);
});

test('what else stands in the file of an entry that gives way stays there', () => {
  const facts = { ...BARE, ...list(`${signed}\ndeb https://example.com/apt trixie main`) };
  const [step] = repositorySteps(DESIRED, facts);
  expect(step?.action).toEqual({
    kind: 'write-file',
    path: LIST,
    content: `# In docker.sources now: ${signed}\ndeb https://example.com/apt trixie main\n`,
  });
});

test('entries that are turned off, commented out, or of another repository, stay as they are', () => {
  const texts = [
    `# ${signed}`,
    'deb https://example.com/docker trixie stable',
    `deb-src [signed-by=${KEY}] ${URI} trixie stable`,
  ];
  for (const text of texts) expect(stepsWith({ ...list(text), ...WITH_KEY })).toEqual(OURS);
  const off = `Enabled: no\nTypes: deb\nURIs: ${URI}\nSuites: trixie\nComponents: stable`;
  expect(stepsWith(stanza(off))).toEqual(OURS);
});
