import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { answerOf, control, environment } from './lab';

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

/** Asks the Compute API as anybody would; `path` is below the project. */
export async function compute<T>(
  method: string,
  path: string,
  body?: unknown,
  project = 'lab-project',
): Promise<T> {
  const { LAB_COMPUTE_URL, LAB_CA_FILE } = await environment();
  const { accessToken } = await control<{ accessToken: string }>('POST', '/tokens', {});
  const message = request(`${LAB_COMPUTE_URL}projects/${project}/${path}`, {
    method,
    ca: readFileSync(String(LAB_CA_FILE)),
    headers: { authorization: `Bearer ${accessToken}` },
  });
  const { status, text } = await answerOf(message, body);
  if (status < 200 || status >= 300) throw new Error(`${method} ${path}: status ${status}: ${text}`);
  return JSON.parse(text) as T;
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
