import validRange from 'semver/ranges/valid';
import { isDigest } from '../values/digest';
import { parseDuration } from '../values/duration';
import { refuse, type Written } from './given';
import type { KeepTag, Retention, RetentionRule } from './types';
import type { Values } from './values';

const WORDS = 'Use lines such as `team/* keep-newest=5 keep-within=30d keep-tags=v*,>=1.4`';

/**
 * Reads what a prune keeps: rules for repositories by name, and below them those of the inputs for all others.
 *
 * @throws ActionError `Invalid input`
 */
export function readRetention(values: Values): Retention {
  const rules = (values.get('repositories') ?? []).map(({ written }) => readRule(written));
  const rest: RetentionRule = {
    repositories: '**',
    newest: values.get('keep-newest'),
    within: values.get('keep-within'),
    tags: (values.get('keep-tags') ?? []).map(({ value, written }) => readKeepTag(value, written)),
  };
  const saysSomething = rest.newest !== null || rest.within !== null || rest.tags.length > 0;
  return {
    rules: saysSomething ? [...rules, rest] : rules,
    inUse: (values.get('in-use') ?? []).map(({ value, written }) => readDigest(value, written)),
    windowSeconds: values.get('gc-window'),
  };
}

/** A glob, and behind it what is kept of the repositories that it fits. */
function readRule(written: Written): RetentionRule {
  const [repositories = '', ...words] = written.text.split(/\s+/);
  if (!/^[a-z0-9._/*?{},[\]!-]+$/.test(repositories) || words.length === 0) {
    return refuse(written, 'names no repositories, or nothing that is kept', WORDS);
  }
  const given = new Map(words.map((word) => readWord(word, written)));
  const number = given.get('keep-newest');
  const duration = given.get('keep-within');
  const within = duration === undefined ? null : parseDuration(duration);
  if (number !== undefined && !/^\d{1,5}$/.test(number))
    refuse(written, `has no number in keep-newest`, WORDS);
  if (duration !== undefined && within === null) refuse(written, 'has no duration in keep-within', WORDS);
  const tags = (given.get('keep-tags') ?? '').split(',').filter((tag) => tag !== '');
  return {
    repositories,
    newest: number === undefined ? null : Number(number),
    within,
    tags: tags.map((tag) => readKeepTag(tag, written)),
  };
}

function readWord(word: string, written: Written): [name: string, value: string] {
  const [, name = '', value = ''] = /^(keep-newest|keep-within|keep-tags)=(.+)$/.exec(word) ?? [];
  return name === '' ? refuse(written, 'has a word that is no rule', WORDS) : [name, value];
}

/** A range of versions begins as one; all else is a glob. */
function readKeepTag(text: string, written: Written): KeepTag {
  if (!/^[<>=^~]/.test(text)) return { kind: 'glob', glob: text };
  const range = validRange(text);
  if (range === null) return refuse(written, 'has a range that is none', 'Use a range such as >=1.4 or ^2');
  return { kind: 'range', range };
}

/** By itself, or behind the name of an image. */
function readDigest(text: string, written: Written): string {
  const digest = text.slice(text.lastIndexOf('@') + 1);
  return isDigest(digest)
    ? digest
    : refuse(written, 'has no digest', 'Use sha256:…, or an image with @sha256:…');
}
