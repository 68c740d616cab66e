import { join } from 'node:path';
import { control } from '../machines/control.ts';
import type { Fault } from '../machines/faults/types.ts';
import { ensureImage } from '../machines/images.ts';
import { docker, LabError } from '../machines/process.ts';
import { caddyRepository } from './images.ts';
import { hubAddress } from './server.ts';

const FOLDER = join(import.meta.dirname, 'images/published');
/** Stages of the Dockerfile. */
const KINDS = ['newer', 'ends', 'silent', 'elsewhere', 'nobody'];

/**
 * Another image under a tag of Docker Hub, for this lab alone. It lies in the hub, which all labs share, beside the usual one,
 * under a tag that nobody asks for; the cloud of this lab serves it in place of the usual one.
 */
export const HUB_PUBLISHES: Fault = {
  usage: 'IMAGE KIND',
  what: `a tag of Docker Hub stands for another image: ${KINDS.join(', ')}`,
  start: ([image = '', kind = '']) => publish(image, kind),
  end: () => control('DELETE', '/hub/tags'),
};

async function publish(image: string, kind: string): Promise<void> {
  if (!KINDS.includes(kind)) throw new LabError(`KIND is one of ${KINDS.join(', ')}.`);
  const [, name = '', tag = ''] = /^([a-z0-9/-]+):([A-Za-z0-9._-]+)$/.exec(image) ?? [];
  const repository = name.includes('/') ? name : `library/${name}`;
  const stored = repository === 'library/caddy' ? caddyRepository() : repository;
  const address = await hubAddress();
  const base = `${address}/${stored}:${tag}`;
  await docker(['pull', '--quiet', base]);
  const made = await ensureImage({
    name: `published-${repository.replace(/\W/g, '-')}-${kind}`,
    folder: FOLDER,
    base,
    target: kind,
  });
  const other = `gcelab-${tag}-${kind}`;
  await docker(['tag', made, `${address}/${stored}:${other}`]);
  await docker(['push', '--quiet', `${address}/${stored}:${other}`]);
  await control('PUT', '/hub/tags', { repository, tag, other });
}
