import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * Domains that are in nobody's DNS but one's own.
 *
 * https://www.iana.org/assignments/special-use-domain-names, https://www.icann.org/en/board-activities-and-meetings/materials/approved-resolutions-special-meeting-of-the-icann-board-29-07-2024-en
 * (internal), and what routers and offices use (lan, home, corp, intranet, localdomain, private).
 */
const OWN_DOMAINS =
  /(^|\.)(localhost|localdomain|local|internal|intranet|private|lan|home|corp|test|example|invalid|onion|alt|arpa)$/;

/** Addresses that the internet has no way to, by the names that ipaddr.js has for them. */
const UNROUTED: Readonly<Record<string, string>> = {
  private: 'is a private address',
  uniqueLocal: 'is a private address',
  carrierGradeNat: 'is shared by the customers of a provider',
  loopback: 'is the machine itself',
  linkLocal: 'is of one link alone',
  multicast: 'is no address of one machine',
  broadcast: 'is no address of one machine',
  unspecified: 'is no address of one machine',
};

/**
 * Why the internet cannot know a host name or an address, so that no public authority can vouch for it; null where nothing
 * speaks against it.
 *
 * @param host a host name in lower case, or an address, IPv6 without brackets
 */
export function whyNotPublic(host: string): string | null {
  if (isIP(host) !== 0) return UNROUTED[ipaddr.process(host).range()] ?? null;
  if (!host.includes('.')) return 'is a name without a domain';
  return OWN_DOMAINS.test(host) ? 'is in a domain that the internet does not know' : null;
}
