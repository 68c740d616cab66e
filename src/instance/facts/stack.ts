import { count, fields, flag, integer, list, nullable, type Shape, table, text } from './shape';

/** What scripts/facts-stack.sh reads: what concerns the containers, their data, and the way to them. */
export interface StackFacts {
  /** All containers of the instance, running or not. */
  readonly containers: readonly ContainerFacts[];
  /** Images of our containers, where they were asked for. */
  readonly images: readonly ImageFacts[];
  /** HTTP status that a service answers its probe with, by its name; null without an answer. */
  readonly probes: ReadonlyMap<string, number | null>;
  /** Services that are to be reached by TLS, and were reached by plain HTTP. */
  readonly plain: readonly string[];
  /** What listens for TCP on the ports of the services. */
  readonly listeners: readonly ListenerFacts[];
  readonly data: DataFacts;
  readonly network: NetworkFacts;
  readonly packetRules: PacketRuleFacts;
  /** Why the front got no certificate from an authority the last time in two days, where that was asked for; else empty. */
  readonly frontComplaint: string;
}

export interface ListenerFacts {
  readonly address: string;
  readonly port: number;
  /** Name of the program; empty where it is not known. */
  readonly process: string;
}

export interface ContainerFacts {
  readonly name: string;
  /** As it was asked for, `registry:3`. */
  readonly image: string;
  readonly imageId: string;
  /** created, running, paused, restarting, removing, exited, dead. */
  readonly state: string;
  /** starting, healthy, unhealthy. */
  readonly health: string | null;
  readonly exitCode: number;
  readonly restarts: number;
  readonly startedAt: string;
  /** When Docker starts it again by itself: no, always, on-failure, unless-stopped. */
  readonly restartPolicy: string;
  /** Of Compose; empty without it. */
  readonly project: string;
  readonly service: string;
  readonly spec: string;
  /** What it is to publish, running or not. */
  readonly asked: readonly PublishedPort[];
  /** What it publishes now, with the addresses that Docker took; empty unless it runs. */
  readonly published: readonly PublishedPort[];
  /** Where the registry's data is on the host; null without a mount for it. */
  readonly dataSource: string | null;
  /** The network of the Compose project, where it is in that; empty otherwise. */
  readonly networkId: string;
}

/** A port for TCP. */
export interface PublishedPort {
  /** Of the host; empty: as Docker chooses. */
  readonly address: string;
  readonly port: number;
  /** In the container. */
  readonly target: number;
}

export interface ImageFacts {
  readonly id: string;
  /** When it was built, and when this instance got it under its present name; empty where that is not known. */
  readonly created: string;
  readonly pulled: string;
}

/** Where the registry's data is, was, and is to be. */
export interface DataFacts {
  /** Directory of the last run; empty for the named volume, or when there was none. */
  readonly recorded: DirectoryFacts;
  /** The directory that is asked for now; empty for none. */
  readonly wanted: DirectoryFacts;
  /** Directory of the named volume. */
  readonly volume: DirectoryFacts;
  /** What the last run wrote down about the data; null before the first. */
  readonly identity: DataIdentity | null;
}

export interface DirectoryFacts {
  /** As it was given. */
  readonly path: string;
  /** Without symbolic links. */
  readonly real: string;
  /** The directory that the registry makes in it is there. */
  readonly ready: boolean;
  readonly holdsImages: boolean;
  /** The id in the file that marks it; empty without one. */
  readonly id: string;
}

/** The data is known by an id that lies in it, and the file system by what findmnt says of it. */
export interface DataIdentity {
  readonly id: string;
  /** Where the file system is mounted. */
  readonly mount: string;
  /** The device, the type of the file system and its UUID, in words. */
  readonly fileSystem: string;
}

export interface NetworkFacts {
  /** Programs can listen on addresses of IPv6. */
  readonly ipv6: boolean;
  /** Addresses of the instance, with the length of their prefix, and the device that has them. */
  readonly addresses: readonly { readonly cidr: string; readonly device: string }[];
  /** Destinations of its routes; gateways stand as their own /32. */
  readonly routes: readonly { readonly cidr: string; readonly device: string }[];
  /** Network in our compose file; empty where Docker chooses. */
  readonly chosen: string;
}

/** Rules for packets, as their programs print them. */
export interface PacketRuleFacts {
  /** `iptables -S`: the table `filter`. */
  readonly filter: string;
  /** `iptables -t nat -S DOCKER`: how Docker leads packets to its containers. */
  readonly translations: string;
  /** `nft -j list table …`, for each table that is not of iptables or Docker and has to do with packets for containers. */
  readonly nftables: readonly unknown[];
  /** Docker itself writes rules of nftables. */
  readonly dockerUsesNftables: boolean;
}

const bindings: Shape<PublishedPort[]> = (value, path) => {
  if (value === null || value === undefined) return [];
  const ports = table(nullable(list(fields({ HostIp: text(64), HostPort: text(16) }))))(value, path);
  return [...ports].flatMap(([key, members]) =>
    key.endsWith('/tcp')
      ? (members ?? []).flatMap(({ HostIp, HostPort }) => portsIn(HostPort, HostIp, Number.parseInt(key, 10)))
      : [],
  );
};

/** `5000`, or `5000-5010` where Docker is to choose one of them. */
function portsIn(words: string, address: string, target: number): PublishedPort[] {
  const [first = 0, last = first] = words.split('-').map(Number);
  if (!(first > 0 && last >= first && last < 65_536)) return [];
  return Array.from({ length: last - first + 1 }, (_, index) => ({ address, port: first + index, target }));
}

const mounts = list(fields({ Source: text(), Destination: text() }));

/** The volume at the registry's directory, or else what is mounted below it. */
const dataSource: Shape<string | null> = (value, path) => {
  const all = mounts(value ?? [], path);
  const below = all.find(({ Destination }) => Destination === '/var/lib/registry/docker');
  if (below !== undefined) return below.Source.replace(/\/docker$/, '');
  return all.find(({ Destination }) => Destination === '/var/lib/registry')?.Source || null;
};

const networkId: Shape<string> = (value, path) =>
  value === null || value === undefined ? '' : fields({ NetworkID: text() })(value, path).NetworkID;

export const container: Shape<ContainerFacts> = (value, path) => {
  const read = fields({
    name: text(),
    image: text(),
    imageId: text(),
    state: text(),
    health: nullable(text()),
    exitCode: integer,
    restarts: count,
    startedAt: text(),
    restartPolicy: text(),
    project: text(),
    service: text(),
    spec: text(),
    asked: bindings,
    published: bindings,
    dataSource,
    networkId,
  })(value, path);
  return { ...read, name: read.name.replace(/^\//, '') };
};

const directory: Shape<DirectoryFacts> = fields<{ [K in keyof DirectoryFacts]: DirectoryFacts[K] }>({
  path: text(),
  real: text(),
  ready: flag,
  holdsImages: flag,
  id: text(),
});

const textOrNone: Shape<string> = (value, path) =>
  value === null || value === undefined ? '' : text()(value, path);
const words: Shape<string[]> = (value, path) =>
  text()(value, path)
    .split(' ')
    .filter((word) => word !== '');
const place = fields({ cidr: text(64), device: text(64) });
const anything: Shape<unknown> = (value) => value;
/** The rules of a table in base64. */
const rules: Shape<string> = (value, path) =>
  Buffer.from(text(400_000)(value, path), 'base64').toString('utf8');

export const stackShapes: { readonly [K in keyof StackFacts]: Shape<StackFacts[K]> } = {
  containers: list(container),
  images: list(fields({ id: text(), created: textOrNone, pulled: textOrNone })),
  probes: table(nullable(count)),
  plain: words,
  listeners: list(fields({ address: text(), port: count, process: text() })),
  data: fields({
    recorded: directory,
    wanted: directory,
    volume: directory,
    identity: nullable(fields({ id: text(), mount: text(), fileSystem: text() })),
  }),
  network: fields({ ipv6: flag, addresses: list(place), routes: list(place), chosen: text(64) }),
  packetRules: fields({
    filter: rules,
    translations: rules,
    nftables: list(anything, 100),
    dockerUsesNftables: flag,
  }),
  frontComplaint: text(),
};
