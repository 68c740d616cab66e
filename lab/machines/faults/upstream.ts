import type { UpstreamFaultName } from '../../cloud/front/faults.ts';
import { control } from '../control.ts';
import type { Fault } from './types.ts';

const WHAT: Readonly<Record<UpstreamFaultName, string>> = {
  'hub-down': 'Docker Hub answers 503',
  'hub-rate-limit': 'Docker Hub refuses further pulls',
  'docker-repository-down': "Docker's package repository answers 503",
  'docker-repository-bad-signature': "the signature of Docker's package repository is wrong",
  'docker-repository-key-over-http': "Docker's package repository redirects to plain HTTP for its key",
  'acme-down': "Let's Encrypt answers 503",
  'acme-rate-limit': "Let's Encrypt takes no further orders",
  'dns-wrong': 'the names of the instances lead elsewhere',
};

/** Faults of Docker Hub, Docker's repository, Let's Encrypt and the DNS. */
export const UPSTREAM_FAULTS: Readonly<Record<string, Fault>> = Object.fromEntries(
  Object.entries(WHAT).map(([name, what]) => [
    name,
    {
      usage: '',
      what,
      start: () => control('PUT', `/faults/${name}`),
      end: () => control('DELETE', `/faults/${name}`),
    },
  ]),
);
