import { randomBytes, randomUUID } from 'node:crypto';
import { arch } from 'node:os';
import { CA_FILE, COVERAGE_FOLDER } from '../runner.ts';

/** Folders and variables of one job on the runner machine; several jobs may run at the same time. */
export interface Job {
  /** Holds all that belongs to the job. */
  readonly root: string;
  readonly workspace: string;
  readonly temp: string;
  /** By which the processes are known that it leaves behind. */
  readonly trackingId: string;
  /** What the runner gives every step. */
  readonly variables: Readonly<Record<string, string>>;
}

const REPOSITORY = 'octo-org/octo-repo';
const SHA = 'ffac537e6cbbf934b08745a378932722df287a53';
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** A job of a push to `main`, with the variables of a GitHub-hosted runner (docs.github.com, "Default variables"). */
export function newJob(): Job {
  const id = randomBytes(6).toString('hex');
  const root = `/home/runner/work/job-${id}`;
  const [workspace, temp] = [`${root}/octo-repo`, `${root}/_temp`];
  const trackingId = `github_${randomUUID()}`;
  const variables = { ...runnerVariables(root, temp), ...githubVariables(id, workspace, temp) };
  return { root, workspace, temp, trackingId, variables: { ...variables, RUNNER_TRACKING_ID: trackingId } };
}

/** The event that started the job, for $GITHUB_EVENT_PATH. */
export const EVENT = JSON.stringify({ ref: 'refs/heads/main', repository: { full_name: REPOSITORY } });

function runnerVariables(root: string, temp: string): Record<string, string> {
  return {
    CI: 'true',
    HOME: '/home/runner',
    USER: 'runner',
    LANG: 'C.UTF-8',
    PATH,
    ImageOS: 'ubuntu24',
    NODE_EXTRA_CA_CERTS: CA_FILE,
    ...(process.env.GCELAB_COVERAGE ? { NODE_V8_COVERAGE: COVERAGE_FOLDER } : {}),
    RUNNER_ARCH: arch() === 'arm64' ? 'ARM64' : 'X64',
    RUNNER_ENVIRONMENT: 'github-hosted',
    RUNNER_NAME: 'GitHub Actions 1',
    RUNNER_OS: 'Linux',
    RUNNER_TEMP: temp,
    RUNNER_TOOL_CACHE: '/opt/hostedtoolcache',
    RUNNER_WORKSPACE: root,
  };
}

function githubVariables(id: string, workspace: string, temp: string): Record<string, string> {
  const [owner] = REPOSITORY.split('/');
  return {
    GITHUB_ACTIONS: 'true',
    GITHUB_ACTION: '__lab_gce-registry-action',
    GITHUB_ACTION_REF: 'main',
    GITHUB_ACTION_REPOSITORY: 'lab/gce-registry-action',
    GITHUB_ACTOR: 'octocat',
    GITHUB_ACTOR_ID: '583231',
    GITHUB_API_URL: 'https://api.github.com',
    GITHUB_BASE_REF: '',
    GITHUB_EVENT_NAME: 'push',
    GITHUB_EVENT_PATH: `${temp}/_github_workflow/event.json`,
    GITHUB_GRAPHQL_URL: 'https://api.github.com/graphql',
    GITHUB_HEAD_REF: '',
    GITHUB_JOB: 'lab',
    GITHUB_REF: 'refs/heads/main',
    GITHUB_REF_NAME: 'main',
    GITHUB_REF_PROTECTED: 'false',
    GITHUB_REF_TYPE: 'branch',
    GITHUB_REPOSITORY: REPOSITORY,
    GITHUB_REPOSITORY_ID: '1296269',
    GITHUB_REPOSITORY_OWNER: owner ?? '',
    GITHUB_REPOSITORY_OWNER_ID: '1',
    GITHUB_RETENTION_DAYS: '90',
    GITHUB_RUN_ATTEMPT: '1',
    GITHUB_RUN_ID: String(Number.parseInt(id, 16)),
    GITHUB_RUN_NUMBER: '1',
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_SHA: SHA,
    GITHUB_TRIGGERING_ACTOR: 'octocat',
    GITHUB_WORKFLOW: 'lab',
    GITHUB_WORKFLOW_REF: `${REPOSITORY}/.github/workflows/lab.yml@refs/heads/main`,
    GITHUB_WORKFLOW_SHA: SHA,
    GITHUB_WORKSPACE: workspace,
  };
}
