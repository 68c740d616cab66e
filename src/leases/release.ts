import { dockerCli } from '../docker/docker';
import type { Compute } from '../google/compute';
import type { Log } from '../job/log';
import type { Sleep } from '../job/sleep';
import type { JobVariables } from '../job/variables';
import type { RegistryApi } from '../registry/api';
import type { Endpoint } from '../registry/endpoint';
import type { RunnerHost } from '../runner/host';
import { messageOf } from '../values/errors';
import { releaseCanary } from './canary';
import { describeCertificateLease, releaseCertificateLease } from './certificate';
import { describeClientConfig, releaseClientConfig } from './client-config';
import { releaseDaemonJson } from './daemon-json';
import type { DockerPlace } from './docker-place';
import type { GooglePlace } from './google-place';
import { describeKey, releaseKey } from './key';
import { isLease, type Lease } from './lease';
import { describeLocalTag, releaseLocalTag } from './local-tag';
import { describeOpening, releaseOpening } from './opening';
import { describeTargetTag, releaseTargetTag, type TargetTagLease } from './target-tag';
import { releaseTunnel } from './tunnel';

/** What it takes to release leases. */
export interface ReleaseTools {
  readonly log: Log;
  readonly sleep: Sleep;
  /** Does something at Google Cloud, with the first credentials that can. */
  readonly atGoogle: (place: GooglePlace, work: (compute: Compute) => Promise<void>) => Promise<void>;
  /** This machine, as the main step saw it. */
  readonly hostAt: (docker: DockerPlace) => RunnerHost;
  readonly variables: JobVariables;
  readonly openRegistry: (endpoint: Endpoint) => RegistryApi;
}

/**
 * Releases what the main step noted and did not give back. Each lease is tried, whatever becomes of the others. Never
 * throws: returns a message for each reason for which something stays behind, with what that is and how to undo it by
 * hand.
 */
export async function releaseAll(records: readonly unknown[], tools: ReleaseTools): Promise<string[]> {
  const leases = records.filter(isLease);
  const failures: Failure[] = [];
  for (const group of inOrder(leases)) {
    const results = await Promise.allSettled(group.map((lease) => release(lease, leases, tools)));
    results.forEach((result, index) => {
      const lease = group[index];
      if (result.status === 'rejected' && lease !== undefined) failures.push({ lease, error: result.reason });
    });
  }
  const odd = records.length - leases.length;
  return [
    ...messagesOf(failures),
    ...(odd === 0
      ? []
      : [`${odd} notes of the main step cannot be read, and what they were about may be left behind`]),
  ];
}

interface Failure {
  readonly lease: Lease;
  readonly error: unknown;
}

/** The canary is behind the opening, or at the end of the tunnel, which uses the key. */
function inOrder(leases: readonly Lease[]): readonly Lease[][] {
  const first = ['canary', 'tunnel'];
  return [
    ...first.map((wanted) => leases.filter(({ kind }) => kind === wanted)),
    leases.filter(({ kind }) => !first.includes(kind)),
  ];
}

async function release(lease: Lease, all: readonly Lease[], tools: ReleaseTools): Promise<void> {
  const { log } = tools;
  switch (lease.kind) {
    case 'canary':
      return releaseCanary(lease, tools.openRegistry, log);
    case 'tunnel':
      return releaseTunnel(lease, log);
    case 'key':
      return tools.atGoogle(lease, (compute) => releaseKey(lease, compute, tools));
    case 'opening':
      // A lent tag goes with its opening.
      if (all.some((other) => other.kind === 'target-tag' && other.opening === lease.name)) return;
      return tools.atGoogle(lease, (compute) => releaseOpening(lease, compute, tools));
    case 'target-tag':
      return tools.atGoogle(lease, (compute) => releaseTagAndOpening(lease, all, compute, tools));
    case 'daemon-json':
      return releaseDaemonJson(lease, tools.hostAt(lease.docker), tools);
    case 'certificate':
      return releaseCertificateLease(lease, tools.hostAt(lease.docker), log, Date.now());
    case 'client-config':
      return releaseClientConfig(lease, tools.variables, log);
    case 'local-tag':
      return releaseLocalTag(lease, dockerCli(tools.hostAt(lease.docker).exec), log);
  }
}

async function releaseTagAndOpening(
  lease: TargetTagLease,
  all: readonly Lease[],
  compute: Compute,
  tools: ReleaseTools,
): Promise<void> {
  const opening = all.find((other) => other.kind === 'opening' && other.name === lease.opening);
  if (opening?.kind === 'opening') await releaseOpening(opening, compute, tools);
  await releaseTargetTag(lease, compute, tools.log);
}

/** One message for each cause: without credentials, all that needs them has the same. */
function messagesOf(failures: readonly Failure[]): string[] {
  const causes = new Set(failures.map(({ error }) => messageOf(error)));
  return [...causes].map((cause) => {
    const group = failures.filter(({ error }) => messageOf(error) === cause).map(({ lease }) => lease);
    const left = group.flatMap(describe);
    const behind = left.length === 0 ? '' : ` Left behind: ${left.join('; ')}.`;
    const expires = group.filter(isSwept).map((lease) => lease.expires);
    const later = expires.sort().at(-1);
    const until = later === undefined ? '' : ` A run of this instance after ${later} removes it as well.`;
    return `${cause}${behind}${until}`;
  });
}

function isSwept({ kind }: Lease): boolean {
  return ['key', 'opening', 'target-tag'].includes(kind);
}

function describe(lease: Lease): string[] {
  switch (lease.kind) {
    case 'key':
      return [describeKey(lease)];
    case 'opening':
      return [describeOpening(lease)];
    case 'target-tag':
      return [describeTargetTag(lease)];
    case 'certificate':
      return [describeCertificateLease(lease)];
    case 'client-config':
      return [describeClientConfig(lease)];
    case 'local-tag':
      return [describeLocalTag(lease)];
    // Their own errors say what to do.
    case 'daemon-json':
    case 'canary':
    case 'tunnel':
      return [];
  }
}
