import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { environment, type Result, run } from './lab';

/** The real gcloud on the lab's project. */
export interface Gcloud {
  run(...args: string[]): Promise<Result>;
  /** Where it has to succeed; returns its output. */
  ok(...args: string[]): Promise<string>;
  object<T>(...args: string[]): Promise<T>;
  close(): void;
}

/** Whether gcloud is on PATH; says in one line when it is not. */
export function haveGcloud(): boolean {
  const found = (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, 'gcloud'), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (!found) process.stderr.write('gcloud is not on PATH: the tests that use it are left out.\n');
  return found;
}

/** gcloud with a configuration of its own; REQUESTS_CA_BUNDLE, where it is set, is stronger than gcloud's own setting. */
export async function openGcloud(): Promise<Gcloud> {
  const lab = await environment();
  const configuration = mkdtempSync(join(tmpdir(), 'gcloud-'));
  const env = {
    ...process.env,
    CLOUDSDK_CONFIG: configuration,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE: lab.LAB_COMPUTE_URL,
    CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE: lab.LAB_CA_FILE,
    REQUESTS_CA_BUNDLE: lab.LAB_CA_FILE,
    CURL_CA_BUNDLE: lab.LAB_CA_FILE,
    CLOUDSDK_CORE_PROJECT: lab.LAB_PROJECT,
    CLOUDSDK_COMPUTE_ZONE: lab.LAB_ZONE,
    CLOUDSDK_AUTH_ACCESS_TOKEN: lab.LAB_ACCESS_TOKEN,
    CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
    CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: '1',
  };
  const gcloud = (...args: string[]) => run('gcloud', args, '', env);
  const ok = async (...args: string[]): Promise<string> => {
    const { status, stdout, stderr } = await gcloud(...args);
    if (status !== 0) throw new Error(`gcloud ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
    return stdout;
  };
  return {
    run: gcloud,
    ok,
    object: async <T>(...args: string[]) => JSON.parse(await ok(...args, '--format=json')) as T,
    close: () => rmSync(configuration, { recursive: true }),
  };
}
