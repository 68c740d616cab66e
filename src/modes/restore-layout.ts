import { type Imported, importLayout, placesOf } from '../layout/import';
import type { Restorable } from '../layout/import-image';
import { readLayout } from '../layout/place';
import { byRepository, type LayoutReport, layoutLine } from '../report/layout';
import { ActionError } from '../values/errors';
import { openTransfer } from './open-transfer';
import type { Reached } from './reach-registry';
import type { Run } from './run';

/** The images of the layout that is to be restored, with their places. Null: none is. */
export async function imagesToRestore({ settings: { restore } }: Run): Promise<readonly Restorable[] | null> {
  if (restore === null) return null;
  return placesOf(restore.from, await readLayout(restore.from), restore.fallback);
}

/**
 * Puts the images of a layout into the registry; nothing in a dry run.
 *
 * @param reached null in a dry run
 */
export async function restoreImages(
  run: Run,
  reached: Reached | null,
  images: readonly Restorable[] | null,
): Promise<LayoutReport | null> {
  const { settings, log } = run;
  if (settings.restore === null || images === null) return null;
  const { from, overwrite } = settings.restore;
  if (reached === null) {
    for (const { repository, tag, content } of images)
      log.info(`would restore ${repository}${tag === null ? '' : `:${tag}`} ${content.digest}`);
    return told(run, reportOn(from, images, 0, []));
  }
  const { manifests, content, close } = openTransfer(reached.endpoint, run, reached.way);
  try {
    const imported = await log.group(`Images of ${from}`, () =>
      importLayout(from, images, overwrite, {
        manifests,
        content,
        sleep: run.sleep,
        onRetry: (what, why, pauseMs) => log.info(`${what}: ${why} Again in ${pauseMs / 1000} s`),
        onImage: (image) => log.info(image),
      }),
    );
    requireAll(from, imported);
    return told(run, reportOn(from, restoredOf(imported), imported.sentBytes, keptOf(imported)));
  } finally {
    close();
  }
}

function reportOn(
  path: string,
  images: readonly Restorable[],
  movedBytes: number,
  notes: readonly string[],
): LayoutReport {
  return { kind: 'restore', path, repositories: byRepository(images), bytes: null, movedBytes, notes };
}

function restoredOf({ images }: Imported): Restorable[] {
  return images.filter(({ became }) => became !== 'another is there');
}

function keptOf({ images }: Imported): string[] {
  return images.flatMap(({ repository, tag, became }) =>
    became === 'another is there'
      ? [`${repository}:${tag} stands for another image now, and stays; \`restore-overwrite: true\` moves it`]
      : [],
  );
}

function told({ settings, log }: Run, report: LayoutReport): LayoutReport {
  for (const note of report.notes) log.warning(note);
  log.info(layoutLine(report, settings.dryRun));
  return report;
}

function requireAll(from: string, { images, broken }: Imported): void {
  if (broken.length === 0) return;
  const more = broken.length > 10 ? `; and ${broken.length - 10} more` : '';
  throw new ActionError('Not all images were restored', {
    doing: `restoring ${images.length + broken.length} images from ${from}`,
    happened: `${broken.length} could not be: ${broken.slice(0, 10).join('; ')}${more}`,
    next: `The ${images.length} others are there. Take another copy of the layout, and run again: what is there is not sent again`,
  });
}
