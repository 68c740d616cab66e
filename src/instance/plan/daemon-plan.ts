import { ActionError, messageOf } from '../../values/errors';
import type { Facts } from '../facts/facts';
import type { Desired } from './desired';
import { type InstanceStep, instanceStep } from './steps';

export const DAEMON_CONFIG = '/etc/docker/daemon.json';

/**
 * Adds the mirrors to the daemon's configuration; everything else in it stays. It is written before an engine is
 * installed, so that its first start takes it; an engine that runs is told to reload, which restarts nothing, also
 * where a run was cut off between the two.
 *
 * @throws ActionError `Broken daemon.json`
 */
export function daemonSteps({ docker }: Desired, facts: Facts): InstanceStep[] {
  if (docker.mirrors.length === 0) return [];
  const config = parseConfig(facts.texts.get(DAEMON_CONFIG) ?? '');
  const present = readMirrors(config);
  const missing = docker.mirrors.filter((mirror) => !present.some((other) => sameAddress(other, mirror)));
  if (missing.length === 0) return facts.mirrors === null ? [] : reloadSteps(docker.mirrors, facts);

  const mirrors = [...present, ...missing];
  const content = `${JSON.stringify({ ...config, 'registry-mirrors': mirrors }, null, 2)}\n`;
  const why = 'registry-mirrors asks for them';
  return [
    instanceStep(
      { kind: 'write-file', path: DAEMON_CONFIG, content },
      `registry-mirrors in ${DAEMON_CONFIG}`,
      present.length === 0 ? null : present.join(', '),
      mirrors.join(', '),
      why,
    ),
    ...reloadSteps(docker.mirrors, facts),
  ];
}

/** An engine that runs without the mirrors loads its file again; one that does not answer is started later on. */
function reloadSteps(mirrors: readonly string[], facts: Facts): InstanceStep[] {
  const loaded = facts.mirrors ?? [];
  const isLoaded = mirrors.every((mirror) => loaded.some((other) => sameAddress(other, mirror)));
  if (isLoaded || facts.service.active !== 'active' || facts.engine === '') return [];
  return [
    instanceStep(
      { kind: 'reload-engine', mirrors },
      'service docker',
      'running without the mirrors',
      'reloaded',
      `it has to load ${DAEMON_CONFIG}`,
    ),
  ];
}

function parseConfig(text: string): Record<string, unknown> {
  if (text.trim() === '') return {};
  try {
    const config: unknown = JSON.parse(text);
    if (typeof config === 'object' && config !== null && !Array.isArray(config)) {
      return config as Record<string, unknown>;
    }
    throw new Error('it is not a JSON object');
  } catch (error) {
    throw brokenConfig(messageOf(error), error);
  }
}

function readMirrors(config: Record<string, unknown>): string[] {
  const mirrors = config['registry-mirrors'] ?? [];
  if (Array.isArray(mirrors) && mirrors.every((mirror) => typeof mirror === 'string')) return mirrors;
  throw brokenConfig('registry-mirrors is not a list of strings', undefined);
}

function brokenConfig(happened: string, cause: unknown): ActionError {
  return new ActionError(
    'Broken daemon.json',
    {
      doing: `reading ${DAEMON_CONFIG} of the instance`,
      happened,
      next: 'Correct the file on the instance, or leave registry-mirrors empty',
    },
    { cause },
  );
}

function sameAddress(one: string, other: string): boolean {
  return one.replace(/\/+$/, '') === other.replace(/\/+$/, '');
}
