/** Where the documents of this action's own version are on the web; null where that is not known. */
export type Documents = string | null;

/**
 * Reads it from the job's variables. They are empty where the action is a folder of the workflow's own repository
 * (`uses: ./`).
 *
 * https://docs.github.com/actions/reference/workflows-and-actions/variables#default-environment-variables
 */
export function documentsOf(env: NodeJS.ProcessEnv): Documents {
  const { GITHUB_ACTION_REPOSITORY: repository, GITHUB_ACTION_REF: version } = env;
  if (!repository || !version) return null;
  const server = env.GITHUB_SERVER_URL || 'https://github.com';
  return `${server}/${repository}/blob/${version.split('/').map(encodeURIComponent).join('/')}`;
}

/** A text in which every document of this repository that it names, as `docs/NAME.md`, is a link to it. */
export function linkDocuments(text: string, documents: Documents): string {
  if (documents === null) return text;
  return text.replace(/(?<![\w/.-])docs\/[a-z-]+\.md(#[\w-]+)?/g, (path) => `${documents}/${path}`);
}

/** The heading of docs/troubleshooting.md that explains an error. */
export function troubleshooting(title: string): string {
  const anchor = title
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
  return `docs/troubleshooting.md#${anchor}`;
}
