import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../../job/log';
import type { DockerSettings } from '../../settings/types';
import { ActionError, messageOf } from '../../values/errors';
import { composeRelease } from '../plan/desired';

/** The Compose plugin for an instance, on the runner's disk. */
export interface ComposeProgram {
  /** Bytes. */
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
  /** As `composeRelease` writes it. */
  readonly release: string;
  open(): AsyncIterable<Buffer>;
}

/** The part of @actions/tool-cache that is used here. */
export interface ToolCache {
  /** Directory of a cached tool; empty without one. */
  find(tool: string, version: string, arch: string): string;
  /** Path of a file with what `url` serves. */
  downloadTool(url: string): Promise<string>;
  /** Directory of the tool that was put into the cache. */
  cacheFile(source: string, target: string, tool: string, version: string, arch: string): Promise<string>;
}

/** Loaded only when it is needed. */
async function runnerToolCache(): Promise<ToolCache> {
  return import('@actions/tool-cache');
}

const TOOL = 'docker-compose';

/**
 * The Compose plugin for an instance of this architecture, through the runner's tool cache.
 *
 * @throws as fetchCompose
 */
export async function loadCompose(docker: DockerSettings, arch: string, log: Log): Promise<ComposeProgram> {
  const toolCache = await runnerToolCache();
  return fetchCompose(docker.compose, composeRelease(docker), arch, { toolCache, log });
}

/**
 * Fetches the release of Compose v2 that the inputs name, through the runner's tool cache, and checks it: against
 * `compose-sha256` where it is given, otherwise against the release's checksums.txt.
 *
 * The names of the files are those of the releases: https://github.com/docker/compose/releases
 *
 * @param arch of the instance, `x86_64` or `aarch64`
 * @throws ActionError `Compose could not be fetched`, `Wrong checksum of Compose`
 */
export async function fetchCompose(
  { version, sha256: pinned }: DockerSettings['compose'],
  release: string,
  arch: string,
  { toolCache, log }: { readonly toolCache: ToolCache; readonly log: Log },
): Promise<ComposeProgram> {
  const name = `docker-compose-linux-${arch}`;
  const base = `https://github.com/docker/compose/releases/download/${version}`;
  const expected = pinned ?? (await releasedChecksum(`${base}/checksums.txt`, name, toolCache));

  const cached = toolCache.find(TOOL, version, arch);
  if (cached !== '') {
    const path = join(cached, TOOL);
    if ((await sha256OfFile(path)) === expected) {
      log.info(`Compose ${version} for ${arch} comes from the tool cache of this runner`);
      return programAt(path, expected, release);
    }
  }
  log.info(`Fetching Compose ${version} for ${arch} from ${base}/${name}`);
  const downloaded = await download(`${base}/${name}`, toolCache);
  const found = await sha256OfFile(downloaded);
  if (found !== expected) {
    await rm(downloaded, { force: true });
    throw new ActionError('Wrong checksum of Compose', {
      doing: `checking ${base}/${name}`,
      happened: `its SHA-256 is ${found}, but ${pinned === null ? 'checksums.txt of the release' : 'compose-sha256'} says ${expected}`,
      next: 'Check compose-version and compose-sha256; if they are right, do not trust the file',
    });
  }
  const directory = await toolCache.cacheFile(downloaded, TOOL, TOOL, version, arch);
  await rm(downloaded, { force: true });
  return programAt(join(directory, TOOL), expected, release);
}

async function releasedChecksum(url: string, name: string, toolCache: ToolCache): Promise<string> {
  const path = await download(url, toolCache);
  const text = await readFile(path, 'utf8');
  await rm(path, { force: true });
  const sum = checksumOf(name, text);
  if (sum !== null) return sum;
  throw new ActionError('Compose could not be fetched', {
    doing: `looking up ${name} in ${url}`,
    happened: 'it is not listed there',
    next: 'Check compose-version: it is the name of a release of docker/compose, such as v2.40.3',
  });
}

/** The sum of a file in the output of `shasum -a 256 -b`: `HEX *NAME`. Null when it is not in it. */
export function checksumOf(name: string, sums: string): string | null {
  for (const line of sums.split('\n')) {
    const match = /^([0-9a-f]{64}) [ *](.+)$/.exec(line.trimEnd());
    if (match?.[2] === name) return match[1] ?? null;
  }
  return null;
}

async function download(url: string, toolCache: ToolCache): Promise<string> {
  try {
    return await toolCache.downloadTool(url);
  } catch (error) {
    throw new ActionError(
      'Compose could not be fetched',
      {
        doing: `fetching ${url}`,
        happened: messageOf(error),
        next: 'Check compose-version and that this runner reaches github.com; or use docker-source: docker, whose packages have Compose',
      },
      { cause: error },
    );
  }
}

async function programAt(path: string, sha256: string, release: string): Promise<ComposeProgram> {
  const { size } = await stat(path);
  return { size, sha256, release, open: () => createReadStream(path) };
}

async function sha256OfFile(path: string): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  } catch {
    return null;
  }
  return hash.digest('hex');
}
