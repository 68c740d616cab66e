import { isIP } from 'node:net';
import {
  InvalidReference,
  parseTarget,
  type Reference,
  targetOf,
  type WrittenTarget,
} from '../values/reference';
import { show } from '../values/show';
import { refuse, type Written } from './given';

/** What is known of the registry before the instance is asked. */
interface KnownRegistry {
  readonly host: string | null;
  readonly port: number;
}

/**
 * Reads `tags`: where to push to, each once, in the order given; the name and tag of the image where nothing is given. A
 * registry in front stays: whether an address is the instance's is known later. A name that is not `registry-host` is
 * refused here.
 *
 * @throws ActionError `Invalid input`
 */
export function readTags(
  items: readonly Written[],
  image: Reference,
  registry: KnownRegistry,
): { targets: readonly WrittenTarget[]; warnings: readonly string[] } {
  const own = targetOf(image);
  if (items.length === 0) return { targets: [own], warnings: [] };
  const targets = items.map((item) => readTag(item, own.path, registry));
  const each = new Map(
    targets.map((target) => [`${target.domain ?? ''}/${target.path}:${target.tag}`, target]),
  );
  return { targets: [...each.values()], warnings: items.flatMap(({ text }) => warningOf(text, own.path)) };
}

function readTag(item: Written, path: string, registry: KnownRegistry): WrittenTarget {
  try {
    const target = parseTarget(item.text.startsWith(':') ? `${path}${item.text}` : item.text);
    if (target.domain !== undefined) refuseOtherRegistry(target.domain, registry);
    return target;
  } catch (error) {
    if (!(error instanceof InvalidReference)) throw error;
    return refuse(item, error.message, 'Use repository[:tag], or :tag for a tag of the image’s own name');
  }
}

function refuseOtherRegistry(domain: string, { host, port }: KnownRegistry): void {
  if (!/[.:]/.test(domain) && domain !== 'localhost') {
    // Docker reads a first part with capital letters as the name of a host.
    throw new InvalidReference('repository[:tag]', 'the repository must be lower case');
  }
  const [, name = '', given] = /^(.*?)(?::(\d+))?$/s.exec(domain) ?? [];
  const isAddress = isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0;
  const samePort = given === undefined ? port === 80 || port === 443 : Number(given) === port;
  if (samePort && (isAddress || name.toLowerCase() === host)) return;
  const here = `${host ?? 'the address of the instance'}:${port}`;
  throw new InvalidReference(
    'repository[:tag]',
    `it names the registry ${show(domain)}, and this run pushes to ${here}`,
  );
}

/** What people call their tags. A repository may have such a name, but hardly anybody means one. */
const LIKE_A_TAG =
  /^(latest|main|master|edge|stable|nightly|v?\d+([._-][\w.-]*)?|sha-[0-9a-f]+|(?=.*\d)[0-9a-f]{7,40})$/;

function warningOf(text: string, path: string): string[] {
  if (!LIKE_A_TAG.test(text)) return [];
  return [
    `\`tags\` has ${show(text)}, which is pushed as the repository \`${text}\` with the tag \`latest\`. If you mean the ` +
      `tag \`${text}\` of \`${path}\`, write \`:${text}\`; if you mean the repository, write \`${text}:latest\``,
  ];
}
