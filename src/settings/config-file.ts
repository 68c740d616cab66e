import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { ActionError } from '../values/errors';
import { show } from '../values/show';

/** A file of settings has a few lines; even 256 ranges of IPv6 with comments stay below. */
const MOST_BYTES = 32_768;

/**
 * Reads the text of the config file. Only a regular file inside the workspace is read, wherever links lead, and no more of
 * it than a config file can have.
 *
 * @param path as the user gave it, from the workspace
 * @param workspace GITHUB_WORKSPACE
 * @throws ActionError `No such config file`, `Invalid config file`
 */
export function readConfigFile(path: string, workspace: string | undefined): string {
  const refuse = (happened: string, next: string): never => {
    throw new ActionError('Invalid config file', { doing: `reading ${show(path)}`, happened, next });
  };
  if (!workspace)
    return refuse('GITHUB_WORKSPACE, the folder that it is in, is not set', 'Run the action in a job');
  const inside = 'Give the path from the top of the repository, such as .github/registry.yml';
  if (path.includes('\0') || isAbsolute(path) || leaves(workspace, resolve(workspace, path))) {
    return refuse('this is no path inside the workspace', inside);
  }
  const file = realPath(path, workspace);
  if (leaves(realpathSync(workspace), file)) {
    return refuse('a link leads out of the workspace', 'Keep the file itself in the repository');
  }
  const bytes = readRegularFile(file);
  if (bytes === null) return refuse('this is no file that can be read', inside);
  if (bytes.length > MOST_BYTES) {
    return refuse(
      `it has more than ${MOST_BYTES} bytes`,
      'Name a file that holds the settings and nothing else',
    );
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refuse('it is no text in UTF-8', 'Save it as UTF-8');
  }
}

function realPath(path: string, workspace: string): string {
  try {
    return realpathSync(resolve(workspace, path));
  } catch (cause) {
    throw new ActionError(
      'No such config file',
      {
        doing: `reading ${show(path)}`,
        happened: 'there is no such file in the workspace',
        next: 'Check the path, and that actions/checkout runs before this step',
      },
      { cause },
    );
  }
}

function leaves(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === '' || way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way);
}

/** At most one byte more than a config file can have. Null: no regular file, or not to be read. */
function readRegularFile(path: string): Uint8Array | null {
  let file: number;
  try {
    // Without O_NONBLOCK, a named pipe would be waited for.
    file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0));
  } catch {
    return null;
  }
  try {
    if (!fstatSync(file).isFile()) return null;
    const buffer = Buffer.alloc(MOST_BYTES + 1);
    let length = 0;
    for (let count = -1; count !== 0; length += count)
      count = readSync(file, buffer, length, buffer.length - length, null);
    return buffer.subarray(0, length);
  } finally {
    closeSync(file);
  }
}
