import { environment, run } from './lab';

/** A firewall rule as the Compute API shows it. */
export interface Rule {
  readonly name: string;
  readonly description: string;
  readonly network: string;
  readonly priority: number;
  readonly sourceRanges: readonly string[];
  readonly sourceTags?: readonly string[];
  readonly targetTags?: readonly string[];
  readonly allowed: readonly { readonly IPProtocol: string; readonly ports?: readonly string[] }[];
}

/** Node's own fetch in a process that trusts the lab's CA. */
const REQUEST = `
  const [url, method, body] = process.argv.slice(1);
  const headers = { authorization: 'Bearer ' + process.env.LAB_ACCESS_TOKEN, 'content-type': 'application/json' };
  const response = await fetch(url, { method, headers, body: body || undefined });
  console.log(await response.text());
  process.exitCode = response.ok ? 0 : 1;`;

/** Asks the Compute API as anybody would; `path` is below the project. */
export async function compute<T>(
  method: string,
  path: string,
  body?: unknown,
  project = 'lab-project',
): Promise<T> {
  const env = await environment();
  const url = `${env.LAB_COMPUTE_URL}projects/${project}/${path}`;
  const data = body === undefined ? '' : JSON.stringify(body);
  const args = ['--input-type=module', '-e', REQUEST, url, method, data];
  const { status, stdout, stderr } = await run(process.execPath, args, '', {
    ...process.env,
    ...env,
    NODE_EXTRA_CA_CERTS: env.LAB_CA_FILE,
  });
  if (status !== 0) throw new Error(`${method} ${path}: ${stdout}${stderr}`);
  return JSON.parse(stdout) as T;
}

async function finish(operation: { readonly name: string }, project: string): Promise<void> {
  await compute('POST', `global/operations/${operation.name}/wait`, undefined, project);
}

/** Adds a rule, and waits until it is in force. */
export async function insertRule(rule: object, project = 'lab-project'): Promise<void> {
  await finish(await compute('POST', 'global/firewalls', rule, project), project);
}

/** Changes fields of a rule, and waits. */
export async function patchRule(name: string, fields: object, project = 'lab-project'): Promise<void> {
  await finish(await compute('PATCH', `global/firewalls/${name}`, fields, project), project);
}

/** Deletes a rule, and waits. */
export async function deleteRule(name: string, project = 'lab-project'): Promise<void> {
  await finish(await compute('DELETE', `global/firewalls/${name}`, undefined, project), project);
}

/** Every rule of a project. */
export async function rules(project = 'lab-project'): Promise<Rule[]> {
  return (await compute<{ items?: Rule[] }>('GET', 'global/firewalls', undefined, project)).items ?? [];
}

/** One rule by name. */
export async function rule(name: string, project = 'lab-project'): Promise<Rule | undefined> {
  return (await rules(project)).find((each) => each.name === name);
}
