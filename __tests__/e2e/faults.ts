import { action, lab, output, type Seen, shell, succeeding } from './lab';
import { expectNothingLeft, type RunnerSnapshot, snapshotRunner } from './left-over';
import { basics, served } from './machines';

/** An instance that is set up, with an image in its registry, on which faults are tried. */
export interface Story {
  readonly inputs: Record<string, string>;
  readonly runner: RunnerSnapshot;
  /** What the registry serves from the beginning. */
  readonly images: Record<string, string>;
}

/** Everything as new, no faults, and one deployment. */
export async function beginStory(): Promise<Story> {
  await lab('fault', 'clear');
  await lab('reset');
  await output('runner', 'docker pull -q hello-world');
  const inputs = await basics();
  const runner = await snapshotRunner();
  const { outputs } = await succeeding(inputs);
  const images = await served('registry-1', ['test:latest']);
  expect(images).toEqual({ 'test:latest': outputs.digest });
  return { inputs, runner, images };
}

/** A run that ends with the error of this title; returns the rest of its message and what was seen. */
export async function failing(
  { inputs, runner }: Story,
  title: string,
  extra: Record<string, string> = {},
): Promise<{ message: string; seen: Seen }> {
  const seen = await action({ ...inputs, ...extra });
  const errors = seen.annotations.filter(({ level }) => level === 'error').map(({ message }) => message);
  expect(errors).toEqual([expect.stringMatching(new RegExp(`^${title}: `))]);
  expect(seen.exitCode).toBe(1);
  await expectNothingLeft(runner);
  return { message: errors.join(), seen };
}

/** A run that succeeds and leaves nothing behind; what the registry served is served still. */
export async function converging(
  { inputs, runner, images }: Story,
  extra: Record<string, string> = {},
): Promise<Seen> {
  const seen = await succeeding({ ...inputs, ...extra });
  await expectNothingLeft(runner);
  expect(await served('registry-1', Object.keys(images))).toEqual(images);
  return seen;
}

/** With all faults ended, the next run does what is left. */
export async function recovering(story: Story): Promise<void> {
  await lab('fault', 'clear');
  expect((await converging(story)).outputs.changed).toBe('true');
}

/** Leaves the instance with a package to install, and nothing of it on the disk. */
export async function lackPackage(): Promise<void> {
  await output(
    'registry-1',
    `apt-get purge -y docker-compose-plugin && apt-get clean
     rm -f /var/lib/apt/lists/*docker* /etc/apt/keyrings/docker.asc`,
  );
}

/** Whether that package is there now. */
export async function hasPackage(): Promise<boolean> {
  const { stdout } = await shell('registry-1', 'dpkg --status docker-compose-plugin');
  return stdout.includes('Status: install ok installed');
}

/** Leaves the instance without the image of its UI and the container of it. */
export async function lackImage(): Promise<void> {
  await output(
    'registry-1',
    `docker rm -f gce-registry-ui-1 >/dev/null
     docker image ls -q joxit/docker-registry-ui | xargs -r docker image rm -f`,
  );
}
