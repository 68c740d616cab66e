import { type CanaryLease, isCanaryLease } from './canary';
import { type CertificateLease, isCertificateLease } from './certificate';
import { type ClientConfigLease, isClientConfigLease } from './client-config';
import { type DaemonJsonLease, isDaemonJsonLease } from './daemon-json';
import { isKeyLease, type KeyLease } from './key';
import { isLocalTagLease, type LocalTagLease } from './local-tag';
import { isOpeningLease, type OpeningLease } from './opening';
import { isTargetTagLease, type TargetTagLease } from './target-tag';
import { isTunnelLease, type TunnelLease } from './tunnel';

/** Everything that a run takes and gives back. */
export type Lease =
  | KeyLease
  | OpeningLease
  | TargetTagLease
  | DaemonJsonLease
  | CertificateLease
  | ClientConfigLease
  | LocalTagLease
  | CanaryLease
  | TunnelLease;

const CHECKS: readonly ((value: unknown) => value is Lease)[] = [
  isKeyLease,
  isOpeningLease,
  isTargetTagLease,
  isDaemonJsonLease,
  isCertificateLease,
  isClientConfigLease,
  isLocalTagLease,
  isCanaryLease,
  isTunnelLease,
];

/** Whether a record of the journal says all that it takes to undo a lease, and nothing that could lead elsewhere. */
export function isLease(record: unknown): record is Lease {
  return CHECKS.some((check) => check(record));
}
