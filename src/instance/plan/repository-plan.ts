import { sha256 } from '../../values/digest';
import type { Facts } from '../facts/facts';
import { type AptEntry, parseAptSources, withoutEntries } from './apt-sources';
import type { Desired } from './desired';
import { type InstanceStep, instanceStep, type RepositoryFiles } from './steps';

export const KEYRING = '/etc/apt/keyrings/docker.asc';
const SOURCES = '/etc/apt/sources.list.d/docker.sources';

const DEBIAN_ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64' };

/**
 * The steps after which apt has a source of Docker's packages. An entry of the instance's owner that apt accepts is used
 * as it is, wherever it stands; other entries of the same repository give way to ours, since apt refuses two entries of
 * one repository with different keys.
 */
export function repositorySteps({ docker }: Desired, facts: Facts): InstanceStep[] {
  const base = `${docker.repository}/${facts.os.id}`;
  const entries = dockerEntries(base, facts);
  const usable = entries.filter((entry) => isUsable(entry, facts));
  const owned = usable.filter((entry) => !isOurs(entry));
  const sameKeys = new Set(usable.map(keysOf)).size === 1;
  const chosen = sameKeys ? owned[0] : undefined;
  if (chosen === undefined) {
    const files = ourFiles(base, facts, entries);
    return [...certificateSteps(base, facts), ...disablingSteps(files, facts), ...ownSteps(files, facts)];
  }
  if (isFetched(chosen, facts) && saysWhoSigns(chosen))
    return certificateSteps(chosen.uris[0] ?? base, facts);
  const files = ourFiles(base, facts, entries);
  return [
    ...certificateSteps(chosen.uris[0] ?? base, facts),
    instanceStep(
      { kind: 'check-repository', uri: chosen.uris[0] ?? base, suite: facts.os.codename, otherwise: files },
      `Docker's package source in ${chosen.file}`,
      'not verified so far',
      'verified',
      'where apt does not accept it, it gives way to one with the key of docker-repository',
    ),
  ];
}

function isOurs({ file, keys }: AptEntry): boolean {
  return file === SOURCES && keys.includes(KEYRING);
}

/** Entries of this repository; for Docker's own, its mirrors are as good. */
function dockerEntries(base: string, { os, aptSources }: Facts): AptEntry[] {
  const isDockers = base.startsWith('https://download.docker.com/');
  const wanted = address(base);
  const same = (uri: string) =>
    address(uri) === wanted || (isDockers && /docker/i.test(uri) && address(uri).endsWith(`/linux/${os.id}`));
  return [...aptSources].flatMap(([file, text]) =>
    parseAptSources(file, text).filter(({ enabled, uris }) => enabled && uris.some(same)),
  );
}

/** apt tells http from https; for whose packages they are it does not matter. */
function address(uri: string): string {
  return uri
    .replace(/^https?:\/\//i, '')
    .replace(/\/+$/, '')
    .toLowerCase();
}

/** It is for this release and architecture, and the keys that it names are there. */
function isUsable(entry: AptEntry, facts: Facts): boolean {
  const architecture = DEBIAN_ARCHITECTURES[facts.arch] ?? facts.arch;
  const fits =
    entry.suites.includes(facts.os.codename) &&
    entry.components.includes('stable') &&
    (entry.architectures.length === 0 || entry.architectures.includes(architecture));
  if (!fits) return false;
  // By one of all the keys that apt trusts for everything: it has worked, or not.
  if (!saysWhoSigns(entry)) return isFetched(entry, facts);
  return entry.keys.every((key) => facts.aptKeys.get(key) === true);
}

/** Else the keys that apt trusts for everything decide; who removes one leaves the lists that were fetched with it. */
function saysWhoSigns({ keys, inlineKey, trusted }: AptEntry): boolean {
  return trusted || inlineKey || keys.length > 0;
}

function keysOf({ keys, inlineKey, trusted }: AptEntry): string {
  return JSON.stringify([keys, inlineKey, trusted]);
}

/** apt has its Release file, which it keeps only when it could verify it. */
function isFetched({ uris }: AptEntry, { aptLists, os }: Facts): boolean {
  return uris.some((uri) => {
    const name = `${uri.replace(/^\w+:\/\//, '').replace(/\/+$/, '')}/dists/${os.codename}/`.replaceAll(
      '/',
      '_',
    );
    return aptLists.some((list) => list === `${name}InRelease` || list === `${name}Release`);
  });
}

/** What it takes to have our own entry and no other of the same repository. */
function ourFiles(base: string, facts: Facts, entries: readonly AptEntry[]): RepositoryFiles {
  const files = [...new Set(entries.map(({ file }) => file))].filter((file) => file !== SOURCES);
  return {
    replaced: files.map((path) => ({
      path,
      content: withoutEntries(
        facts.aptSources.get(path) ?? '',
        entries.filter(({ file }) => file === path),
        'In docker.sources now',
      ),
    })),
    keyUrl: `${base}/gpg`,
    keyring: KEYRING,
    sources: SOURCES,
    content: `Types: deb\nURIs: ${base}\nSuites: ${facts.os.codename}\nComponents: stable\nSigned-By: ${KEYRING}\n`,
  };
}

function certificateSteps(uri: string, facts: Facts): InstanceStep[] {
  const installed =
    facts.packages.has('ca-certificates') && !facts.brokenPackages.includes('ca-certificates');
  if (installed || !uri.startsWith('https:')) return [];
  return [
    instanceStep(
      { kind: 'install-packages', packages: ['ca-certificates'] },
      'packages ca-certificates',
      null,
      'installed',
      "Docker's repository is read over HTTPS",
    ),
  ];
}

function disablingSteps({ replaced }: RepositoryFiles, facts: Facts): InstanceStep[] {
  return replaced.map(({ path, content }) => {
    const action =
      content === null
        ? ({ kind: 'remove-file', path } as const)
        : ({ kind: 'write-file', path, content } as const);
    return instanceStep(
      action,
      `Docker's entries in ${path}`,
      facts.aptSources.has(path) ? 'present' : null,
      null,
      'apt refuses two entries of one repository with different keys',
    );
  });
}

function ownSteps({ keyUrl, content }: RepositoryFiles, facts: Facts): InstanceStep[] {
  const steps: InstanceStep[] = [];
  const key = facts.aptKeys.get(KEYRING);
  if (key !== true) {
    steps.push(
      instanceStep(
        { kind: 'install-keyring', url: keyUrl, path: KEYRING },
        `file ${KEYRING}`,
        key === undefined ? null : 'no whole key',
        keyUrl,
        "apt verifies Docker's packages with it",
      ),
    );
  }
  if (facts.files.get(SOURCES) !== sha256(content)) {
    steps.push(
      instanceStep(
        { kind: 'write-file', path: SOURCES, content },
        `file ${SOURCES}`,
        facts.files.has(SOURCES) ? 'other content' : null,
        keyUrl.replace(/\/gpg$/, ''),
        "it is Docker's package source",
      ),
    );
  }
  return steps;
}
