import type { Socket } from 'node:dgram';
import { mkdirSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import type { Server } from 'node:net';
import { dirname, join } from 'node:path';
import { AcmeAuthority } from './acme/authority.ts';
import { type Pebble, startPebble } from './acme/pebble.ts';
import { ComputeApi } from './compute/api.ts';
import { Operations } from './compute/operations.ts';
import { World } from './compute/world.ts';
import { type Config, readConfig } from './config.ts';
import { createControl } from './control.ts';
import { createDns, DNS_PORT, type Known } from './dns/server.ts';
import { Faults } from './faults/faults.ts';
import { readRequest, sendReply, text } from './front/exchange.ts';
import { UpstreamFaults } from './front/faults.ts';
import { releases, staticFiles } from './front/files.ts';
import { createFront, type Site } from './front/front.ts';
import { Hub } from './front/hub.ts';
import { Log } from './front/log.ts';
import { Accounts } from './identity/accounts.ts';
import { handleGithubOidc, handleIamCredentials, handleOauth, handleSts } from './identity/oauth.ts';
import { MetadataServer } from './metadata/server.ts';
import { NAMES, publicName } from './names.ts';
import { LoopBlocks } from './storage/loop-blocks.ts';
import { Enforcer } from './vpc/enforce.ts';

/** The lab's Google Cloud and network front, as one process: `node lab/cloud/server.ts CONFIG.json`. */
async function main(file: string | undefined): Promise<void> {
  if (file === undefined) throw new Error('usage: server.ts CONFIG.json');
  const config = readConfig(file);
  const world = new World(config.project, config.projectNumber, config.zone);
  const faults = new Faults();
  const enforcer = new Enforcer(world, faults);
  const blocks = new LoopBlocks(join(config.runDir, 'disks'));
  await blocks.clear();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => blocks.clear().finally(() => process.exit(0)));
  const cloud = {
    world,
    operations: new Operations(faults),
    faults,
    blocks,
    enforce: enforcer.enforce.bind(enforcer),
  };
  const upstream = new UpstreamFaults();
  const acme = new AcmeAuthority(() => startAuthority(config), upstream);
  const accounts = new Accounts(config.project, config.projectNumber);
  const log = new Log(join(config.runDir, 'api.jsonl'));
  const compute = new ComputeApi(cloud, accounts.authenticate.bind(accounts));
  const { front, metadata, control } = config.listen;
  mkdirSync(dirname(control), { recursive: true });
  rmSync(control, { force: true });
  await listen(
    createFront(config.certificates, sites(config, compute, accounts, upstream, acme), log),
    front,
  );
  await listen(createPlain(config, upstream), { host: front.host, port: 80 });
  await listen(createMetadata(new MetadataServer(world)), metadata);
  const dns = createDns((name) => knownName(name, world, config, upstream));
  await listen(dns.tcp, { host: front.host, port: DNS_PORT });
  await listenForDatagrams(dns.udp, { address: front.host, port: DNS_PORT });
  await listen(createControl({ cloud, accounts, log, upstream, acme }), { path: control });
  process.stdout.write(
    `listening on ${front.host}:${front.port}, ${metadata.host}:${metadata.port}, ${control}\n`,
  );
}

/** Which site answers for a host name or address. */
function sites(
  config: Config,
  compute: ComputeApi,
  accounts: Accounts,
  faults: UpstreamFaults,
  authority: AcmeAuthority,
): (host: string) => Site | null {
  const hub = new Hub(config.hub, config.hubAliases, faults);
  const instead = () => faults.hub();
  const github = releases(config.releasesDir);
  const computeSite: Site = { name: 'compute', serve: (request) => compute.handle(request) };
  const registry: Site = { name: 'hub', instead, stream: hub.registry.bind(hub) };
  const assets: Site = { name: 'github-assets', stream: github.assets };
  const acme: Site = {
    name: 'acme',
    instead: () => faults.acme(),
    serve: (request) => authority.handle(request),
  };
  const byHost: Readonly<Record<string, Site>> = {
    'compute.googleapis.com': computeSite,
    'www.googleapis.com': computeSite,
    [config.gateway]: computeSite,
    [config.listen.front.host]: computeSite,
    'oauth2.googleapis.com': { name: 'oauth2', serve: (request) => handleOauth(accounts, request) },
    'sts.googleapis.com': { name: 'sts', serve: (request) => handleSts(accounts, request) },
    'iamcredentials.googleapis.com': {
      name: 'iamcredentials',
      serve: (request) => handleIamCredentials(accounts, request),
    },
    'token.actions.githubusercontent.com': {
      name: 'github-oidc',
      serve: (request) => handleGithubOidc(accounts, request),
    },
    'registry-1.docker.io': registry,
    'index.docker.io': registry,
    'auth.docker.io': { name: 'hub-auth', instead, serve: (request) => hub.token(request) },
    'production.cloudflare.docker.com': { name: 'hub-blobs', instead, stream: hub.blob.bind(hub) },
    'download.docker.com': {
      name: 'apt',
      instead: (url) => faults.dockerRepository(config.aptDir, url),
      stream: staticFiles(config.aptDir),
    },
    'acme-v02.api.letsencrypt.org': acme,
    'acme-staging-v02.api.letsencrypt.org': acme,
    'github.com': { name: 'github', stream: github.page },
    'objects.githubusercontent.com': assets,
    'release-assets.githubusercontent.com': assets,
  };
  return (host) => byHost[host] ?? null;
}

async function startAuthority({ pebble, runDir, certificates, listen: { front } }: Config): Promise<Pebble> {
  if (pebble === null) throw new Error('pebble is not built: `bin/lab up` without --quick builds it');
  return startPebble({ program: pebble, runDir, certificates, dns: `${front.host}:${DNS_PORT}` });
}

/** Somebody else's, of the addresses for documentation (RFC 5737). */
const ELSEWHERE = '203.0.113.99';

/** What the lab's own DNS knows: the names that it answers for, and the domain of its instances. */
function knownName(name: string, world: World, config: Config, faults: UpstreamFaults): Known {
  if (NAMES.includes(name)) return { address: config.gateway };
  const instance = [...world.instances.values()].find((each) => publicName(each.name) === name);
  if (instance !== undefined) return { address: faults.has('dns-wrong') ? ELSEWHERE : instance.ip };
  return name.endsWith(publicName('')) ? 'no-such-name' : null;
}

/** The front's address without TLS: Docker's key alone is there, as long as a redirect leads to it. */
function createPlain(config: Config, faults: UpstreamFaults): HttpServer {
  const files = staticFiles(config.aptDir);
  return createHttpServer((request, response) => {
    const url = new URL(`http://${request.headers.host ?? 'unknown'}${request.url ?? '/'}`);
    const isKey = url.hostname === 'download.docker.com' && url.pathname.endsWith('/gpg');
    if (!isKey || !faults.has('docker-repository-key-over-http'))
      return sendReply(response, text(404, 'Not Found\n'));
    Promise.resolve(files(request, response, url)).catch(() => response.destroy());
  });
}

function createMetadata(server: MetadataServer): HttpServer {
  return createHttpServer((message, response) => {
    const url = new URL(`http://metadata.google.internal${message.url ?? '/'}`);
    readRequest(message, url)
      .then((request) => server.handle(request))
      .catch((error: unknown) => text(500, `${String(error)}\n`))
      .then((reply) => sendReply(response, reply));
  });
}

function listen(server: Server, where: { host: string; port: number } | { path: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, resolve);
  });
}

function listenForDatagrams(
  socket: Socket,
  where: { readonly address: string; readonly port: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(where, () => resolve());
  });
}

await main(process.argv[2]);
