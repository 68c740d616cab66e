import { randomBytes } from 'node:crypto';
import { control } from '../control.ts';
import { PROJECT } from '../instance.ts';
import { LabError } from '../process.ts';
import type { Job } from './job.ts';

const KINDS = ['external-account', 'service-account', 'authorized-user', 'none'];

/** What google-github-actions/auth leaves for the later steps of a job. */
export interface AmbientCredentials {
  readonly variables: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
}

/**
 * Application Default Credentials of a fresh principal, in a file in the workspace and in variables, as
 * google-github-actions/auth does it (its src/main.ts). Without `permissions` the principal has them all.
 *
 * @throws LabError for a kind that there is not.
 */
export async function ambientCredentials(
  job: Job,
  kind: string,
  permissions: readonly string[] | undefined,
): Promise<AmbientCredentials> {
  if (!KINDS.includes(kind))
    throw new LabError(`There are no credentials '${kind}', but ${KINDS.join(', ')}.`);
  const file = `${job.workspace}/gha-creds-${randomBytes(8).toString('hex')}.json`;
  const project = Object.fromEntries(
    [
      'CLOUDSDK_CORE_PROJECT',
      'CLOUDSDK_PROJECT',
      'GCLOUD_PROJECT',
      'GCP_PROJECT',
      'GOOGLE_CLOUD_PROJECT',
    ].map((name) => [name, PROJECT]),
  );
  if (kind === 'none') return { variables: {}, files: {} };
  const { json } = await control<{ json: unknown }>('POST', '/credentials', {
    kind,
    ...(permissions === undefined ? {} : { permissions }),
  });
  const paths = Object.fromEntries(
    ['CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE', 'GOOGLE_APPLICATION_CREDENTIALS', 'GOOGLE_GHA_CREDS_PATH'].map(
      (name) => [name, file],
    ),
  );
  return { variables: { ...project, ...paths }, files: { [file]: JSON.stringify(json) } };
}
