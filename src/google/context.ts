/** What the job's environment says about Google Cloud. */
export interface GoogleContext {
  /** File that google-github-actions/auth wrote; null without one. */
  readonly credentialsFile: string | null;
  readonly project: string | null;
  /** `googleapis.com`, unless the job names another Google Cloud universe. */
  readonly universeDomain: string;
  /** Directories that files named by a credential configuration may be in. */
  readonly trustedDirectories: readonly string[];
  /** Host of GitHub's OIDC token endpoint for this job; null without `id-token: write`. */
  readonly tokenHost: string | null;
}

/**
 * Reads the variables that google-github-actions/auth exports, and GitHub's own.
 *
 * https://github.com/google-github-actions/auth#outputs
 */
export function readGoogleContext(env: NodeJS.ProcessEnv): GoogleContext {
  return {
    credentialsFile: env.GOOGLE_APPLICATION_CREDENTIALS || null,
    project: env.GOOGLE_CLOUD_PROJECT || env.GCLOUD_PROJECT || env.CLOUDSDK_CORE_PROJECT || null,
    universeDomain: env.GOOGLE_CLOUD_UNIVERSE_DOMAIN || 'googleapis.com',
    trustedDirectories: [env.GITHUB_WORKSPACE, env.RUNNER_TEMP].flatMap((path) => (path ? [path] : [])),
    tokenHost: hostOf(env.ACTIONS_ID_TOKEN_REQUEST_URL),
  };
}

function hostOf(url: string | undefined): string | null {
  return url && URL.canParse(url) ? new URL(url).hostname : null;
}
