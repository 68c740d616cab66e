import { ActionError } from '../../values/errors';
import { shellQuote } from '../../values/quote';
import type { Facts } from '../facts/facts';
import type { DirectoryFacts } from '../facts/stack';
import { STACK_DIRECTORY } from '../stack/directory';
import { COMPOSE_FILE } from '../stack/services';
import { DATA_PATH_FILE, PROJECT } from '../stack/stack';
import { ourContainer } from './containers';
import type { Desired } from './desired';
import { type InstanceStep, instanceStep } from './steps';

/** One line each: an id that also lies in the data, where its file system is mounted, and what that is. */
const DATA_ID_FILE = `${STACK_DIRECTORY}/data-id`;

/**
 * The directory of the registry's data on the instance; null for the named volume. Where data-path says nothing, or is
 * another spelling of where the data is, it is where it was.
 */
export function dataPathOf({ registry }: Desired, facts: Facts): string | null {
  const { wanted, volume } = facts.data;
  const present = presentPlace(facts);
  if (present === null) return registry.dataPath;
  const stays = registry.dataPath === null || wanted.real === present.real;
  if (!stays) return registry.dataPath;
  return present.real === volume.real ? null : present.path;
}

/**
 * Images stay where they are until somebody moves them, and a registry never starts without them: it would look like a
 * loss, and new images would go to the wrong disk.
 *
 * @throws ActionError `Images would be stranded`, `The data of the registry is missing`
 */
export function requireData(desired: Desired, facts: Facts): void {
  requireDataInPlace(desired, facts);
  requireDataPresent(facts);
}

function requireDataInPlace({ registry }: Desired, facts: Facts): void {
  const { data } = facts;
  const present = presentPlace(facts);
  if (registry.dataPath === null || present === null) return;
  if (present.real === data.wanted.real || !present.holdsImages) return;
  const wanted = registry.dataPath;
  const from = present.real === data.volume.real ? `the named volume (${present.path})` : present.path;
  throw new ActionError('Images would be stranded', {
    doing: `moving the registry's data to ${wanted}`,
    happened: `${from} still holds images, and the registry would start without them`,
    next:
      `On the instance: \`sudo docker compose --project-directory ${STACK_DIRECTORY} stop\`, ` +
      `\`sudo mkdir -p ${shellQuote(wanted)}\`, ` +
      `\`sudo cp -a ${shellQuote(`${present.path}/.`)} ${shellQuote(`${wanted}/`)}\`, ` +
      `\`sudo rm -rf ${shellQuote(`${present.path}/docker`)}\`; or set data-path back, or leave it out`,
  });
}

function requireDataPresent(facts: Facts): void {
  const { identity } = facts.data;
  const last = lastPlace(facts);
  if (identity === null || last === null || last.id === identity.id) return;
  const found = last.id === '' ? 'what marks it as such is not there' : 'other data is there';
  const at = identity.mount === '' || identity.mount === '/' ? '' : `, mounted at ${identity.mount}`;
  const disk = identity.fileSystem === '' ? '' : ` (file system: ${identity.fileSystem}${at})`;
  throw new ActionError('The data of the registry is missing', {
    doing: `looking for the registry's data at ${last.path}${disk}`,
    happened: `${found}, so the registry would start empty, on another disk`,
    next:
      `Mount the disk on the instance (\`findmnt ${shellQuote(identity.mount === '' ? last.path : identity.mount)}\`, ` +
      '`sudo mount -a`, an entry with `nofail` in /etc/fstab) and run again. ' +
      `Where the images are meant to be gone: \`sudo rm ${DATA_ID_FILE}\``,
  });
}

interface Place {
  readonly path: string;
  readonly real: string;
  readonly holdsImages: boolean;
}

/** Where the registry keeps its data now: as its container says, or else the record of the last run. Null: nowhere. */
function presentPlace(facts: Facts): Place | null {
  const { data } = facts;
  const mounted = ourContainer(facts, 'registry')?.dataSource ?? null;
  if (mounted === null) return lastPlace(facts) ?? (data.volume.holdsImages ? data.volume : null);
  const known = [data.recorded, data.volume, data.wanted].find(
    ({ path, real }) => path !== '' && (path === mounted || real === mounted),
  );
  // A place that neither we nor the inputs know may hold images.
  return known ?? { path: mounted, real: mounted, holdsImages: true };
}

/** What the last run wrote down; null before the first. */
function lastPlace({ data, files }: Facts): DirectoryFacts | null {
  if (data.recorded.path !== '') return data.recorded;
  return files.has(DATA_PATH_FILE) || files.has(COMPOSE_FILE) ? data.volume : null;
}

/** The registry's directory, before its container: Docker is not to make it. */
export function dataDirectorySteps(desired: Desired, facts: Facts): InstanceStep[] {
  const path = dataPathOf(desired, facts);
  if (path === null || directoryAt(path, facts)?.ready) return [];
  const action = { kind: 'make-directory', path: `${path}/docker` } as const;
  return [instanceStep(action, `directory ${path}`, null, '', "it is for the registry's data")];
}

/** After its container, which makes the volume. */
export function dataMarkSteps(desired: Desired, facts: Facts): InstanceStep[] {
  const path = dataPathOf(desired, facts);
  const place = path === null ? facts.data.volume : directoryAt(path, facts);
  const { identity } = facts.data;
  const stays = place !== undefined && place.real === lastPlace(facts)?.real;
  if (stays && identity !== null && place.id === identity.id) return [];
  return [
    instanceStep(
      { kind: 'mark-data', path: path ?? '' },
      `mark of the data in ${path ?? `volume ${PROJECT}_registry-data`}`,
      null,
      '',
      'a later run is to know the data again, whatever is mounted',
    ),
  ];
}

function directoryAt(path: string, { data }: Facts): DirectoryFacts | undefined {
  return [data.wanted, data.recorded].find((place) => place.path === path);
}
