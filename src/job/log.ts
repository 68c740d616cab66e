import { randomUUID } from 'node:crypto';
import * as core from '@actions/core';
import { plain } from '../values/show';

/**
 * Where everything that a user reads in the job's log goes. All but `foreign` takes one line; names and versions from
 * elsewhere may stand in it, and are made harmless.
 */
export interface Log {
  info(text: string): void;
  debug(text: string): void;
  notice(text: string): void;
  warning(text: string): void;
  /** Folds all that `work` logs under `title`. */
  group<T>(title: string, work: () => Promise<T>): Promise<T>;
  /**
   * Text that came from elsewhere (an instance, a daemon, a registry). It can hold workflow commands, so the
   * runner is told not to obey any until it has been printed.
   *
   * https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#stopping-and-starting-workflow-commands
   */
  foreign(text: string): void;
  /** Keeps `secret` out of the log from now on. */
  mask(secret: string): void;
}

/** The log of a job on GitHub. */
export function actionsLog(): Log {
  return {
    info: (text) => core.info(plain(text)),
    debug: (text) => core.debug(plain(text)),
    notice: (text) => core.notice(plain(text)),
    warning: (text) => core.warning(plain(text)),
    group: (title, work) => core.group(plain(title), work),
    mask: core.setSecret,
    foreign(text) {
      const token = randomUUID();
      core.info(`::stop-commands::${token}\n${text.replace(/\n$/, '')}\n::${token}::`);
    },
  };
}
