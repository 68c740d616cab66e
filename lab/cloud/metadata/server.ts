import { once } from 'node:events';
import type { Instance, World } from '../compute/world.ts';
import { type Reply, type Request, text } from '../front/exchange.ts';
import { vpcScript } from '../vpc/enforce.ts';
import { etagOf, guestAttributesEnabled, Leaf, metadataTree, type Node, toJson } from './tree.ts';

const ROOT = '/computeMetadata/v1/';
const GUEST_ATTRIBUTES = `${ROOT}instance/guest-attributes/`;
const FLAVOR = { 'metadata-flavor': 'Google', server: 'Metadata Server for VM' };
/** Guest attributes: https://cloud.google.com/compute/docs/metadata/manage-guest-attributes#limitations */
const GUEST_KEY = /^[A-Za-z0-9_.-]{1,128}\/[A-Za-z0-9_.-]{1,128}$/;
const MAX_GUEST_VALUE = 262_144;

/**
 * The metadata server of every instance; who asks is told by the source address.
 * https://cloud.google.com/compute/docs/metadata/querying-metadata
 *
 * `/lab/vpc.nft` is the lab's own: the instance's firewall, for a machine that boots.
 */
export class MetadataServer {
  private readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  async handle(request: Request): Promise<Reply> {
    const instance = [...this.world.instances.values()].find(({ ip }) => ip === request.peer);
    if (instance === undefined) return text(404, `no instance has the address ${request.peer}\n`);
    if (request.url.pathname === '/lab/vpc.nft') return text(200, vpcScript(this.world, instance));
    const reply = await this.answer(request, instance);
    return { ...reply, headers: { ...FLAVOR, ...reply.headers }, principal: instance.name };
  }

  private answer(request: Request, instance: Instance): Promise<Reply> | Reply {
    const path = request.url.pathname.replace(/\/{2,}/g, '/');
    if (path === '/' && request.method === 'GET') return text(200, 'computeMetadata/\n');
    if (request.headers['metadata-flavor'] !== 'Google')
      return text(403, 'Missing Metadata-Flavor:Google header.\n');
    if (request.headers['x-forwarded-for'] !== undefined)
      return text(403, 'X-Forwarded-For is not allowed.\n');
    if (!path.startsWith(ROOT)) return text(404, 'Not Found\n');
    if (path.startsWith(GUEST_ATTRIBUTES) && !guestAttributesEnabled(instance)) {
      return text(403, 'Guest attributes endpoint access is disabled.\n');
    }
    if (request.method === 'GET')
      return this.read(path.slice(ROOT.length), request.url.searchParams, instance);
    if (path.startsWith(GUEST_ATTRIBUTES))
      return write(path.slice(GUEST_ATTRIBUTES.length), request, instance);
    return text(405, 'Method Not Allowed\n');
  }

  private async read(path: string, query: URLSearchParams, instance: Instance): Promise<Reply> {
    const before = this.render(path, query, instance.name);
    if (query.get('wait_for_change') !== 'true') return before;
    const known = query.get('last_etag') ?? String(before.headers?.etag);
    const limit = AbortSignal.timeout(Number(query.get('timeout_sec') || 3600) * 1000);
    let now = before;
    while (now.headers?.etag === known && !limit.aborted) {
      await once(instance.changed, 'changed', { signal: limit }).catch(() => {});
      now = this.render(path, query, instance.name);
    }
    return now;
  }

  private render(path: string, query: URLSearchParams, name: string): Reply {
    const instance = this.world.instances.get(name);
    const project = instance && this.world.projects.get(instance.project);
    if (instance === undefined || project === undefined) return text(404, 'Not Found\n');
    const node = find(metadataTree(instance, project), path);
    if (node === null) return text(404, 'Not Found\n');
    const isDirectory = typeof node === 'object' && !(node instanceof Leaf);
    const recursive = query.get('recursive')?.toLowerCase() === 'true';
    if (isDirectory && path !== '' && !path.endsWith('/') && !recursive) {
      return { status: 301, headers: { location: `${ROOT}${path}/` } };
    }
    const asJson = (query.get('alt') ?? (isDirectory && recursive ? 'json' : 'text')) === 'json';
    const body = asJson ? JSON.stringify(toJson(node, keepsNames(path))) : asText(node, recursive, '');
    const type = asJson ? 'application/json' : 'application/text';
    return { status: 200, headers: { 'content-type': type, etag: etagOf(body) }, body };
  }
}

const keepsNames = (path: string): boolean => /(^|\/)(attributes|guest-attributes)(\/|$)/.test(path);

function find(tree: Node, path: string): Node | null {
  let node: Node = tree;
  for (const name of path.split('/').filter((part) => part !== '')) {
    if (typeof node !== 'object' || node instanceof Leaf || !Object.hasOwn(node, name)) return null;
    node = (node as Readonly<Record<string, Node>>)[name] ?? '';
  }
  return node;
}

/** A directory's names, or, recursively, a line with path and value for each entry below it. */
function asText(node: Node, recursive: boolean, path: string): string {
  const values = node instanceof Leaf ? node.value.join('\n') : String(node);
  if (typeof node !== 'object' || node instanceof Leaf)
    return recursive && path !== '' ? `${path} ${values}\n` : values;
  const entries = Object.entries(node) as [string, Node][];
  if (recursive)
    return entries.map(([name, item]) => asText(item, true, path === '' ? name : `${path}/${name}`)).join('');
  return entries
    .map(([name, item]) => (typeof item === 'object' && !(item instanceof Leaf) ? `${name}/\n` : `${name}\n`))
    .join('');
}

function write(key: string, request: Request, instance: Instance): Reply {
  if (!GUEST_KEY.test(key)) return text(400, 'Invalid guest attribute path.\n');
  if (request.method === 'PUT') {
    if (request.body.length > MAX_GUEST_VALUE) return text(413, 'Guest attribute value is too large.\n');
    instance.guestAttributes.set(key, request.body.toString('utf8'));
  } else if (request.method === 'DELETE') {
    instance.guestAttributes.delete(key);
  } else {
    return text(405, 'Method Not Allowed\n');
  }
  instance.changed.emit('changed');
  return text(200, '');
}
