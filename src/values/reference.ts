import { isIPv4, isIPv6 } from 'node:net';
import { ActionError } from './errors';
import { show } from './show';

/**
 * A parsed image reference: `[domain/]path[:tag][@digest]`.
 *
 * The domain is absent where the text had none, that is for Docker Hub; see {@link normalise}.
 */
export interface Reference {
  readonly domain?: string;
  readonly path: string;
  readonly tag?: string;
  readonly digest?: string;
}

/** Where an image is pushed to in the registry. */
export interface PushTarget {
  readonly path: string;
  readonly tag: string;
}

/** Where to push, as a user wrote it: with the registry in front (`host:port`), or without. */
export interface WrittenTarget extends PushTarget {
  readonly domain?: string;
}

/**
 * A text that is not what it was read as. The message goes behind the value (`is no image reference: …`) and does
 * not hold it, so that whoever knows where the value came from can show it safely, once.
 */
export class InvalidReference extends Error {
  constructor(kind: string, reason: string) {
    super(`is no ${kind}: ${reason}`);
    this.name = 'InvalidReference';
  }
}

// The grammar: https://github.com/distribution/reference/blob/v0.6.0/regexp.go
const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const pathPattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = /^\w[\w.-]{0,127}$/;
const label = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const domainPattern = new RegExp(`^(?:${label}(?:\\.${label})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
/** The algorithms that Docker's daemon registers, with the length of their hex form. */
const digestLengths: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

/** A path may have this many characters, its domain not counted. */
const maxPath = 255;
/** No valid reference is longer; also keeps the patterns away from huge texts. */
const maxReference = 1024;

/**
 * Reads an image reference as `docker pull` does; nothing is filled in.
 *
 * Image ids (64 hex digits, with `sha256:` before them or not) are refused: they name no repository.
 *
 * https://github.com/distribution/reference/blob/v0.6.0/normalize.go (ParseNormalizedNamed)
 *
 * @throws InvalidReference
 */
export function parseReference(text: string): Reference {
  const refuse = (reason: string) => new InvalidReference('image reference', reason);
  if (text === '') throw refuse('it is empty');
  if (text.length > maxReference) throw refuse('it is too long');
  if (/^(?:sha256:)?[a-f0-9]{64}$/.test(text)) {
    throw refuse('it is an image id; give a name, as in "my-app:1.0"');
  }

  const [domain, remainder] = splitDomain(text);
  const at = remainder.indexOf('@');
  const named = at < 0 ? remainder : remainder.slice(0, at);
  const colon = named.indexOf(':');
  const path = colon < 0 ? named : named.slice(0, colon);
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  const digest = at < 0 ? undefined : remainder.slice(at + 1);

  const problem =
    problemOfDomain(domain, remainder) ??
    problemOfPath(path) ??
    (tag === undefined ? null : problemOfTag(tag)) ??
    (digest === undefined ? null : problemOfDigest(digest));
  if (problem !== null) throw refuse(problem);
  return {
    ...(domain === undefined ? {} : { domain }),
    path,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** The reference as text, exactly as it is: `[domain/]path[:tag][@digest]`. */
export function formatReference({ domain, path, tag, digest }: Reference): string {
  const prefix = domain === undefined ? '' : `${domain}/`;
  return `${prefix}${path}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/**
 * The reference with all that Docker fills in: `hello-world` is `docker.io/library/hello-world:latest`. No tag is
 * added beside a digest.
 */
export function normalise(reference: Reference): Reference & { readonly domain: string } {
  const { domain: given = 'docker.io', tag, digest } = reference;
  const domain = given === 'index.docker.io' ? 'docker.io' : given;
  const path =
    domain === 'docker.io' && !reference.path.includes('/') ? `library/${reference.path}` : reference.path;
  if (digest !== undefined) return { domain, path, ...(tag === undefined ? {} : { tag }), digest };
  return { domain, path, tag: tag ?? 'latest' };
}

/** The reference as Docker shows it, without `docker.io/library/`: `hello-world:latest`. */
export function familiarName(reference: Reference): string {
  const { domain, ...rest } = normalise(reference);
  if (domain !== 'docker.io') return formatReference({ domain, ...rest });
  const official = /^library\/([^/]+)$/.exec(rest.path)?.[1];
  return formatReference({ ...rest, path: official ?? rest.path });
}

/**
 * Reads where to push: `[host:port/]repository[:tag]`; the tag is `latest` where there is none. Whether the registry in
 * front is the one that is pushed to, {@link resolveTargets} says.
 *
 * @throws InvalidReference
 */
export function parseTarget(text: string): WrittenTarget {
  const refuse = (reason: string) => new InvalidReference('repository[:tag]', reason);
  if (text === '') throw refuse('it is empty');
  if (text.length > maxReference) throw refuse('it is too long');
  if (text.includes('@')) throw refuse('a digest cannot be pushed to');

  const [domain, remainder] = splitDomain(text);
  const colon = remainder.indexOf(':');
  const path = colon < 0 ? remainder : remainder.slice(0, colon);
  const tag = colon < 0 ? 'latest' : remainder.slice(colon + 1);
  const problem = problemOfDomain(domain, remainder) ?? problemOfPath(path) ?? problemOfTag(tag);
  if (problem !== null) throw refuse(problem);
  return { ...(domain === undefined ? {} : { domain }), path, tag };
}

/**
 * The targets without the registry in front of them, each once, in order.
 *
 * @param registries names of the registry that is pushed to, as `host:port`
 * @throws ActionError `Invalid input` where a target names another registry
 */
export function resolveTargets(
  targets: readonly WrittenTarget[],
  registries: readonly string[],
): PushTarget[] {
  // Without a port, Docker takes 443, or 80 of a registry that is allowed to be insecure.
  const known = registries.flatMap((name) => [name, name.replace(/:(80|443)$/, '')]);
  const resolved = targets.map(({ domain, path, tag }) => {
    if (domain === undefined || known.includes(domain.toLowerCase())) return { path, tag };
    throw new ActionError('Invalid input', {
      doing: 'reading `tags`',
      happened: `${show(`${domain}/${path}:${tag}`, 200)} names another registry than ${registries.join(' or ')}`,
      next: 'Leave the registry away, or set `registry-host` and `registry-port` to it',
    });
  });
  return [...new Map(resolved.map((target) => [`${target.path}:${target.tag}`, target])).values()];
}

/**
 * Where an image goes when nothing else is said: its own name and tag, without its registry and without Docker
 * Hub's `library/`.
 */
export function targetOf(image: Reference): PushTarget {
  const { domain, ...rest } = normalise(image);
  const path = domain === 'docker.io' ? rest.path.replace(/^library\/(?=[^/]+$)/, '') : rest.path;
  return { path, tag: rest.tag ?? 'latest' };
}

/**
 * Reads the image of a service (`registry-image`, `ui-image`), in its familiar form, with the tag `latest` where
 * neither tag nor digest is given.
 *
 * @throws InvalidReference
 */
export function parseImage(text: string): Reference {
  return parseReference(familiarName(parseReference(text)));
}

/**
 * Reads the host of a registry: a DNS name, an IPv4 address, or an IPv6 address in brackets, in lower case (hosts
 * know no case, but the daemon compares `insecure-registries` by letter).
 *
 * @throws InvalidReference
 */
export function parseRegistryHost(text: string): string {
  const refuse = (reason: string) => new InvalidReference('registry host', reason);
  if (text === '') throw refuse('it is empty');
  if (/^[a-zA-Z][a-zA-Z0-9+.-]*:\/\//.test(text)) throw refuse('leave the scheme away');
  if (text.includes('/')) throw refuse('leave the path away');
  const address = /^\[(.*)\]$/s.exec(text)?.[1];
  if (address !== undefined) return `[${checkedIPv6(address, refuse)}]`;
  if (isIPv6(text)) throw refuse('put the IPv6 address in brackets, as in "[2001:db8::5]"');
  if (/:\d*$/.test(text)) throw refuse('leave the port away; registry-port is an input of its own');

  if (isIPv4(text)) return text;
  const problem = problemOfName(text);
  if (problem !== null) throw refuse(problem);
  return text.toLowerCase();
}

function checkedIPv6(address: string, refuse: (reason: string) => Error): string {
  if (!isIPv6(address)) throw refuse('there is no IPv6 address in the brackets');
  // Neither zones nor IPv4-mapped forms can stand in a reference; see the grammar.
  if (!/^[a-fA-F0-9:]+$/.test(address))
    throw refuse('Docker takes IPv6 addresses of hex digits and colons only');
  return address.toLowerCase();
}

/** RFC 1123, section 2.1: also tells a name from a broken IPv4 address by its last label. */
function problemOfName(name: string): string | null {
  if (name.length > 253) return 'a DNS name has at most 253 characters';
  const labels = name.split('.');
  if (labels.some((each) => each.length > 63)) return 'each part of a DNS name has at most 63 characters';
  if (!labels.every((each) => /^[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?$/.test(each))) {
    return 'a DNS name has letters, digits and hyphens, with dots between its parts';
  }
  if (/^\d+$/.test(labels[labels.length - 1] ?? ''))
    return 'it is no IPv4 address, and no DNS name ends in a number';
  return null;
}

/** Splits off what Docker takes for a registry. https://github.com/distribution/reference/blob/v0.6.0/normalize.go */
function splitDomain(text: string): [domain: string | undefined, remainder: string] {
  const slash = text.indexOf('/');
  if (slash < 0) return [undefined, text];
  const first = text.slice(0, slash);
  const isDomain = first === 'localhost' || /[.:]/.test(first) || first !== first.toLowerCase();
  return isDomain ? [first, text.slice(slash + 1)] : [undefined, text];
}

/** `app:feature/x` is no registry `app:feature`, but a tag with a slash: the name of a branch, as people paste it. */
function problemOfDomain(domain: string | undefined, remainder: string): string | null {
  if (domain === undefined || domainPattern.test(domain)) return null;
  const [, path = '', tag = ''] = /^([^:]*):([^:]*)$/.exec(`${domain}/${remainder}`) ?? [];
  return (pathPattern.test(path) ? slashInTag(tag) : null) ?? 'the registry before the first "/" is invalid';
}

function slashInTag(tag: string): string | null {
  const proposed = tag.replaceAll('/', '-');
  return tag.includes('/') && tagPattern.test(proposed)
    ? `a tag has no "/"; "${proposed}" would be one`
    : null;
}

function problemOfPath(path: string): string | null {
  if (path === '') return 'the repository is missing';
  if (path !== path.toLowerCase()) return 'the repository must be lower case';
  if (path.length > maxPath) return `the repository has more than ${maxPath} characters`;
  if (pathPattern.test(path)) return null;
  return 'a repository has lower-case letters and digits, with ".", "_", "__", "-" or "/" between them';
}

function problemOfTag(tag: string): string | null {
  if (tag === '') return 'the tag is empty';
  if (tag.length > 128) return 'the tag has more than 128 characters';
  if (tagPattern.test(tag)) return null;
  const slash = slashInTag(tag);
  if (slash !== null) return slash;
  return 'a tag has letters, digits, "_", "." and "-", and begins with a letter, a digit or "_"';
}

function problemOfDigest(digest: string): string | null {
  const [, algorithm = '', hex = ''] = /^([a-z0-9]+):([a-f0-9]*)$/.exec(digest) ?? [];
  const length = Object.hasOwn(digestLengths, algorithm) ? digestLengths[algorithm] : undefined;
  if (length === undefined) return 'the digest must be like "sha256:" and 64 hex digits';
  return hex.length === length ? null : `a ${algorithm} digest has ${length} hex digits`;
}
