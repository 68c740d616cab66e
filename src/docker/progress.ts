import type { Log } from '../job/log';

/** Lines on their way to the log. */
export interface Progress {
  line(text: string): void;
  /** Prints what is left. */
  end(): void;
}

/**
 * Prints foreign lines in bundles, at most one a second: each bundle is fenced by two workflow commands, so one per
 * line would treble the log.
 */
export function foreignProgress(log: Log): Progress {
  let lines: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (lines.length > 0) log.foreign(lines.join('\n'));
    lines = [];
  };
  return {
    line(text) {
      lines.push(text);
      timer ??= setTimeout(flush, 1000);
    },
    end: flush,
  };
}
