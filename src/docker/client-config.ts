import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** A login at one registry. */
export interface RegistryLogin {
  readonly username: string;
  readonly password: string;
}

/** How such a directory is called; nothing else of that name is made by anybody. */
export const CONFIG_DIRECTORY = /^\/(?:[^/\p{Cc}]+\/)*gce-registry-docker-[A-Za-z0-9]{6}$/u;

const CONFIG = 'config.json';

/**
 * Docker's client configuration with one login more. The user's own logins, proxies and context stay as they are; for this
 * registry alone no credential helper is asked, since a helper's store is the user's. That takes an empty helper where the
 * user has a store for all registries, and only there: Podman and Skopeo, which know no such store, would run it.
 *
 * https://docs.docker.com/reference/cli/docker/login/#credential-helpers
 * https://github.com/containers/image/blob/v5.36.0/pkg/docker/config/config.go (findCredentialsInFile)
 *
 * @param present the user's config.json; null: there is none
 * @param registry `host:port`
 */
export function configWith(
  present: string | null,
  registry: string,
  { username, password }: RegistryLogin,
): string {
  const config = objectOf(present);
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  const { [registry]: _, ...helpers } = asObject(config.credHelpers);
  return JSON.stringify({
    ...config,
    auths: { ...asObject(config.auths), [registry]: { auth } },
    credHelpers: config.credsStore ? { ...helpers, [registry]: '' } : helpers,
  });
}

function objectOf(text: string | null): Record<string, unknown> {
  try {
    return asObject(JSON.parse(text ?? '{}'));
  } catch {
    // Docker itself only warns of such a file.
    return {};
  }
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/**
 * Makes a directory for `docker --config` that is the user's with one login more; all but config.json are links to what is
 * there. So jobs of one machine that run at once have nothing to do with each other's logins, nor with the user's file.
 *
 * @param parent where it is made; the login lies in it in clear, for this user alone
 * @param noted is told of the directory before anything lies in it
 */
export async function makeClientConfig(
  parent: string,
  userDirectory: string,
  registry: string,
  login: RegistryLogin,
  noted: (directory: string) => void,
): Promise<string> {
  const directory = await mkdtemp(join(resolve(parent), 'gce-registry-docker-'));
  noted(directory);
  keepBuilders(userDirectory);
  for (const name of namesIn(userDirectory)) {
    if (name !== CONFIG) await symlink(join(resolve(userDirectory), name), join(directory, name));
  }
  const text = configWith(readOrNull(join(userDirectory, CONFIG)), registry, login);
  await writeFile(join(directory, CONFIG), text, { mode: 0o600 });
  return directory;
}

/** Removes such a directory, and nothing that it links to. */
export async function removeClientConfig(directory: string): Promise<void> {
  if (!CONFIG_DIRECTORY.test(directory)) throw new Error(`${directory} is no directory of this action`);
  await rm(directory, { recursive: true, force: true });
}

/** Builders that a later step makes are the user's, and may outlast the job: buildx notes them there. */
function keepBuilders(userDirectory: string): void {
  try {
    mkdirSync(join(userDirectory, 'buildx'), { recursive: true, mode: 0o700 });
  } catch {
    // Such a user has no builders that last.
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
