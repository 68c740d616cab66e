import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { CHECKOUT } from '../checkout.ts';
import { control } from '../control.ts';
import { ACT, ensureGoProgram } from '../go.ts';
import { instanceName, PROJECT } from '../instance.ts';
import { docker, LabError, run } from '../process.ts';
import { ACTION_FOLDER, CA_FILE } from '../runner.ts';
import { assignments } from './inputs.ts';
import { asRunner } from './runner-access.ts';
import { watch } from './seen.ts';

const OPTIONS = {
  event: { type: 'string' },
  input: { type: 'string', multiple: true },
  secret: { type: 'string', multiple: true },
  var: { type: 'string', multiple: true },
  json: { type: 'string' },
} as const;
const LABELS = ['ubuntu-latest', 'ubuntu-24.04', 'ubuntu-22.04'];

/**
 * Runs a workflow file with act on the runner machine, on a copy of the checkout as a repository of its own, prints
 * act's log and returns its exit status.
 */
export async function workflow(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true });
  const [file, ...others] = positionals;
  if (file === undefined || others.length > 0) throw new LabError('usage: bin/lab workflow FILE [OPTIONS]');
  const text = readFileSync(file, 'utf8');
  await ensureGoProgram(ACT);
  const repository = `/home/runner/work/workflow-${randomBytes(6).toString('hex')}/repository`;
  const path = `.github/workflows/${basename(file)}`;
  await copyCheckout(repository, path, text);
  try {
    const endWatch = await watch(instanceName(1));
    const start = performance.now();
    const lines: string[] = [];
    const secrets = assignments(values.secret ?? []);
    const command = [
      ...['act', values.event ?? firstEvent(text), '--workflows', path, ...localActions(text, repository)],
      ...LABELS.flatMap((label) => ['--platform', `${label}=-self-hosted`]),
      ...(values.input ?? []).flatMap((pair) => ['--input', pair]),
      ...(values.var ?? []).flatMap((pair) => ['--var', pair]),
      ...Object.keys(secrets).flatMap((name) => ['--secret', name]),
      ...['--env', `NODE_EXTRA_CA_CERTS=${CA_FILE}`],
    ];
    const exitCode = await act(command, repository, { ...secrets, ...(await labVariables()) }, (line) => {
      lines.push(`${line}\n`);
      process.stdout.write(`${line}\n`);
    });
    const seconds = (performance.now() - start) / 1000;
    const report = { exitCode, seconds, log: lines.join(''), ...(await endWatch()) };
    if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
    return exitCode;
  } finally {
    await docker(asRunner(['rm', '-rf', repository.replace(/\/repository$/, '')]));
  }
}

/** The files of the checkout that git knows or would take, with the workflow in its place, as one commit on `main`. */
async function copyCheckout(repository: string, path: string, text: string): Promise<void> {
  const listed = await run('git', [
    ...['-c', `safe.directory=${CHECKOUT}`, '-C', CHECKOUT, 'ls-files', '-z', '--cached', '--others'],
    '--exclude-standard',
  ]);
  const inRunner = (script: string, options: { stdin?: string } = {}) =>
    docker(asRunner(['sh', '-euc', script, 'sh', ACTION_FOLDER, repository, path]), options);
  await inRunner(
    'mkdir -p "$2" && tar -C "$1" --null --files-from=- --ignore-failed-read -cf - 2>/dev/null | tar -C "$2" -xf -',
    { stdin: listed },
  );
  await inRunner('mkdir -p "$(dirname "$2/$3")" && cat >"$2/$3"', { stdin: text });
  // Where the examples say that users put the file that they share.
  await inRunner('cp "$2/examples/registry.yml" "$2/.github/registry.yml"');
  await inRunner(
    'cd "$2" && git init -q -b main && git add --all && ' +
      'git -c user.name=octocat -c user.email=octocat@example.com commit -qm "The checkout" && ' +
      'git remote add origin https://github.com/octo-org/octo-repo',
  );
}

function firstEvent(text: string): string {
  const { on } = parse(text) as { on: string | string[] | Record<string, unknown> };
  const event = typeof on === 'string' ? on : Array.isArray(on) ? on[0] : Object.keys(on)[0];
  if (event === undefined) throw new LabError('The workflow names no event.');
  return event;
}

/**
 * act takes `./` and actions/checkout from the repository itself; this action under any owner and version, and
 * google-github-actions/auth, are put in their place. There is no network for any other.
 */
function localActions(text: string, repository: string): string[] {
  const uses = [...text.matchAll(/^\s*(?:-\s+)?uses:\s*["']?([^\s"'#]+)/gm)].map((match) => match[1] ?? '');
  return [...new Set(uses)].flatMap((name) => {
    if (name.startsWith('./') || name.startsWith('actions/checkout@')) return [];
    if (/^[^/]+\/gce-registry-action@/.test(name)) return ['--local-repository', `${name}=${repository}`];
    if (name.startsWith('google-github-actions/auth@')) {
      return ['--local-repository', `${name}=${ACTION_FOLDER}/lab/machines/github/auth-stand-in`];
    }
    throw new LabError(`The workflow uses ${name}, which the lab does not have.`);
  });
}

/** For the stand-in of google-github-actions/auth. */
async function labVariables(): Promise<Record<string, string>> {
  const { json } = await control<{ json: unknown }>('POST', '/credentials', { kind: 'external-account' });
  return { LAB_EXTERNAL_ACCOUNT: JSON.stringify(json), LAB_PROJECT: PROJECT };
}

function act(
  command: readonly string[],
  repository: string,
  variables: Readonly<Record<string, string>>,
  print: (line: string) => void,
): Promise<number> {
  const options = ['--workdir', repository, ...Object.keys(variables).flatMap((name) => ['--env', name])];
  const child = spawn('docker', asRunner(['sh', '-c', 'exec "$0" "$@" 2>&1', ...command], options), {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...variables },
  });
  createInterface({ input: child.stdout }).on('line', print);
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (code) => done(code ?? 255));
  });
}
