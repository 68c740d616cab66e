import type { LocalCommands } from './job/exec';
import type { Log } from './job/log';
import type { Sleep } from './job/sleep';
import type { JobVariables } from './job/variables';
import type { StateStore } from './leases/journal';
import type { RunnerHost } from './runner/host';

/** All that main and post step have of the world around them. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  /** The file that this process runs. */
  readonly program: string;
  readonly log: Log;
  readonly sleep: Sleep;
  readonly state: StateStore;
  readonly variables: JobVariables;
  /** Where files lie that go with the job, if RUNNER_TEMP names no other place. */
  readonly temporary: string;
  /** Docker's client configuration where DOCKER_CONFIG names none. */
  readonly dockerConfig: string;
  /** The value of an input, trimmed; the empty string without one. */
  input(name: string): string;
  output(name: string, value: string): void;
  /** An error annotation; the step then fails. */
  fail(message: string): void;
  /** Adds to the job summary. */
  summarise(markdown: string): Promise<void>;
  commands(env: NodeJS.ProcessEnv): LocalCommands;
  host(commands: LocalCommands, dockerConfig: string): RunnerHost;
}
