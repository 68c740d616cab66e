import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificates } from './certificates.ts';

/** An address to listen on. */
export interface Listen {
  readonly host: string;
  readonly port: number;
}

/** What the server is told when it starts. */
export interface Config {
  /** Folder for the control socket and the log. */
  readonly runDir: string;
  /** Address of the host in the lab's network. */
  readonly gateway: string;
  readonly project: string;
  readonly projectNumber: string;
  readonly zone: string;
  readonly certificates: Certificates;
  /** Base address of the registry that stands for Docker Hub, `http://127.0.0.1:PORT`. */
  readonly hub: string;
  /** Repositories that have another name there, by the name that Docker Hub has for them. */
  readonly hubAliases: Readonly<Record<string, string>>;
  /** Document root of download.docker.com. */
  readonly aptDir: string;
  /** Document root of github.com: `OWNER/REPOSITORY/releases/download/TAG/FILE`. */
  readonly releasesDir: string;
  /** Program of the certificate authority; null: it is not built, and the authority is away. */
  readonly pebble: string | null;
  /** Where to listen; the front is HTTPS, the metadata server plain HTTP. */
  readonly listen: { readonly front: Listen; readonly metadata: Listen; readonly control: string };
}

/** Reads CONFIG.json; `listen` may be left out, in whole or in part. Throws when the file cannot be read. */
export function readConfig(file: string): Config {
  const given = JSON.parse(readFileSync(file, 'utf8')) as Omit<Config, 'listen'> & {
    listen?: Partial<Config['listen']>;
  };
  return {
    ...given,
    listen: {
      front: { host: given.gateway, port: 443 },
      metadata: { host: given.gateway, port: 8775 },
      control: join(given.runDir, 'control.sock'),
      ...given.listen,
    },
  };
}
