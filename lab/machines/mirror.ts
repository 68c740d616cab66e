import { readdirSync, readFileSync } from 'node:fs';
import { LabError, run } from './process.ts';

/**
 * Where this host takes Debian's packages from, so that the machines ask the same place.
 *
 * @throws LabError when none of its apt sources is a mirror of Debian.
 */
export function debianMirror(): string {
  for (const text of sourceFiles()) {
    const address = /^(?:URIs:|deb(?:\s+\[[^\]]*\])?)\s+(https?:\/\/\S+\/debian)\/?(?:\s|$)/m.exec(text)?.[1];
    if (address !== undefined) return address;
  }
  throw new LabError(
    "None of this host's apt sources is a mirror of Debian (an address that ends in /debian).",
  );
}

/** The host's proxy and date settings of apt as configuration for the machines; empty when it has none. */
export async function aptSettings(): Promise<string> {
  const dump = await run('apt-config', ['dump']);
  const wanted = /^Acquire::(http|https)::Proxy|^Acquire::Check-(Valid-Until|Date)/;
  return dump
    .split('\n')
    .filter((line) => wanted.test(line))
    .map((line) => `${line}\n`)
    .join('');
}

function sourceFiles(): string[] {
  const folder = '/etc/apt/sources.list.d';
  const names = ['/etc/apt/sources.list', ...readdirSync(folder).map((name) => `${folder}/${name}`)];
  return names.flatMap((name) => {
    try {
      return [readFileSync(name, 'utf8')];
    } catch {
      return [];
    }
  });
}
