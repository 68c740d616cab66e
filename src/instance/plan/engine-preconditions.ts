import { ActionError } from '../../values/errors';
import { excerpt } from '../../values/show';
import type { Facts, UnitFacts } from '../facts/facts';
import { requireComposePlace } from './compose-plan';
import type { Desired } from './desired';

/** Debian 11 had it, and nothing older is tested: https://docs.docker.com/engine/release-notes/20.10/ */
const OLDEST_ENGINE = [20, 10] as const;

/**
 * Refuses a Docker that cannot be used as it is, before anything is changed.
 *
 * @throws ActionError `Docker comes from snap`, `Docker is masked`, `Docker is too old`, `Compose is not usable`
 */
export function requireEngine(desired: Desired, facts: Facts): void {
  requireNoSnap(facts);
  requireUnmasked(facts);
  requireNewEngine(facts);
  requireComposePlace(desired, facts);
}

/**
 * Docker from snap is confined: it reads compose files and mounts directories only below /home and its own, so neither
 * /etc/gce-registry nor data-path. https://snapcraft.io/docker
 */
function requireNoSnap({ units, docker }: Facts): void {
  const unit = units.get('snap.docker.dockerd.service');
  const inUse =
    unit?.load === 'loaded' &&
    (unit.enabled === 'enabled' || unit.active === 'active' || unit.active === 'activating');
  if (!inUse) return;
  throw new ActionError('Docker comes from snap', {
    doing: 'looking at Docker on the instance',
    happened: `snap.docker.dockerd.service is ${unit.active}${docker === '' ? '' : ` (${docker})`}, and Docker from snap reads no files in /etc and mounts no data-path`,
    next: 'Move what runs in it to a Docker from packages, and remove it with `sudo snap remove docker`; or only stop it, with `sudo snap disable docker`. The next run then installs Docker',
  });
}

/** Somebody masked a unit on purpose, so nobody else unmasks it. */
function requireUnmasked({ units, engine }: Facts): void {
  const isMasked = (unit: UnitFacts | undefined) =>
    unit?.load === 'masked' || /^masked/.test(unit?.enabled ?? '');
  const needed =
    engine === '' ? ['docker.service', 'docker.socket', 'containerd.service'] : ['docker.service'];
  const masked = needed.filter((name) => isMasked(units.get(name)));
  if (masked.length === 0) return;
  throw new ActionError('Docker is masked', {
    doing: 'looking at Docker on the instance',
    happened: `${masked.join(' and ')} ${masked.length === 1 ? 'is' : 'are'} masked, so systemd does not start ${masked.length === 1 ? 'it' : 'them'}`,
    next: `If Docker may run on this instance: \`sudo systemctl unmask ${masked.join(' ')}\`; then run again`,
  });
}

function requireNewEngine({ engine }: Facts): void {
  const version = /^(\d+)\.(\d+)/.exec(engine);
  if (version === null) return;
  const [major, minor] = [Number(version[1]), Number(version[2])];
  if (major > OLDEST_ENGINE[0] || (major === OLDEST_ENGINE[0] && minor >= OLDEST_ENGINE[1])) return;
  throw new ActionError('Docker is too old', {
    doing: 'looking at Docker on the instance',
    happened: `its engine is ${excerpt(engine)}, and ${OLDEST_ENGINE.join('.')} or later is needed`,
    next: 'Update Docker on the instance: https://docs.docker.com/engine/install/',
  });
}
