import { ComputeApi } from '../compute/api.ts';
import { Operations } from '../compute/operations.ts';
import { NO_BLOCKS } from '../compute/storage.ts';
import { World } from '../compute/world.ts';
import { Faults } from '../faults/faults.ts';
import type { Reply } from '../front/exchange.ts';

const TOKEN = 'token';
export const RULES = 'projects/p/global/firewalls';
export const VM = 'projects/p/zones/z-a/instances/vm';
export const OPEN = {
  name: 'open',
  allowed: [{ IPProtocol: 'tcp', ports: ['5000'] }],
  sourceRanges: ['192.0.2.0/24'],
};

export interface Answer {
  readonly status: number;
  readonly body: Record<string, never> & {
    name: string;
    error: { message: string; errors: { reason: string }[] };
  };
}

/** A cloud of its own; `permissions` are those of the caller, null for all. */
export function cloud(permissions: readonly string[] | null = null) {
  const world = new World('p', '123456789012', 'z-a');
  world.addInstance({ name: 'vm', zone: 'z-a', ip: '192.0.2.10', internalIp: '10.132.0.10' });
  const faults = new Faults();
  const operations = new Operations(faults);
  operations.latencyMs = 1;
  const principal = { email: 'me@p', permissions: permissions && new Set(permissions) };
  const lab = { world, operations, faults, blocks: NO_BLOCKS, enforce: async () => {} };
  const api = new ComputeApi(lab, (token) => (token === TOKEN ? principal : null));
  const send = (method: string, path: string, body?: unknown, token = TOKEN): Promise<Reply> =>
    api.handle({
      method,
      url: new URL(`https://compute.googleapis.com/compute/v1/${path}`),
      headers: token === '' ? {} : { authorization: `Bearer ${token}` },
      body: Buffer.from(body === undefined ? '' : JSON.stringify(body)),
      peer: '192.0.2.1',
    });
  const call = async (...request: Parameters<typeof send>): Promise<Answer> => {
    const reply = await send(...request);
    return { status: reply.status, body: JSON.parse(String(reply.body)) };
  };
  const ended = async ({ body }: Answer) => {
    const scope = 'zone' in body ? 'zones/z-a' : 'region' in body ? 'regions/z' : 'global';
    return (await call('POST', `projects/p/${scope}/operations/${body.name}/wait`)).body;
  };
  return { lab, send, call, ended, world, faults };
}
