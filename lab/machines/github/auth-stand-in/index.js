// Main and post step of the stand-in. Source: github.com/google-github-actions/auth, src/main.ts and src/post.ts
const { randomBytes } = require('node:crypto');
const { appendFileSync, rmSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

const input = (name) => process.env[`INPUT_${name.toUpperCase()}`] ?? '';
const put = (file, name, value) => appendFileSync(process.env[file], `${name}=${value}\n`);

function main() {
  const given = input('credentials_json');
  if (given === '' && input('workload_identity_provider') === '') {
    throw new Error('must specify exactly one of "workload_identity_provider" or "credentials_json"');
  }
  const json = JSON.parse(given || process.env.LAB_EXTERNAL_ACCOUNT);
  const project = input('project_id') || json.project_id || process.env.LAB_PROJECT;
  const file = join(process.env.GITHUB_WORKSPACE, `gha-creds-${randomBytes(8).toString('hex')}.json`);
  writeFileSync(file, JSON.stringify(json), { mode: 0o640 });
  put('GITHUB_STATE', 'file', file);
  put('GITHUB_OUTPUT', 'project_id', project);
  put('GITHUB_OUTPUT', 'credentials_file_path', file);
  if (input('export_environment_variables') !== 'true') return;
  for (const name of ['CLOUDSDK_CORE_PROJECT', 'CLOUDSDK_PROJECT', 'GCLOUD_PROJECT', 'GCP_PROJECT']) {
    put('GITHUB_ENV', name, project);
  }
  put('GITHUB_ENV', 'GOOGLE_CLOUD_PROJECT', project);
  for (const name of ['CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE', 'GOOGLE_APPLICATION_CREDENTIALS']) {
    put('GITHUB_ENV', name, file);
  }
  put('GITHUB_ENV', 'GOOGLE_GHA_CREDS_PATH', file);
}

if (process.env.STATE_file) rmSync(process.env.STATE_file, { force: true });
else main();
