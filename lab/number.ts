/**
 * Several labs can be up side by side on one host; GCELAB chooses among them, and lab 1 is the default. Whatever
 * tells one lab from another follows from its number, and is derived here.
 */

/** The numbers that there are. */
export const LABS: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8, 9];

/** The lab of this process; `bin/lab` has checked it. */
export const LAB = Number(process.env.GCELAB || '1');

/** What the names of a lab's network and containers begin with: `gcelab`, `gcelab2`, … */
export function prefixOf(lab: number): string {
  return lab === 1 ? 'gcelab' : `gcelab${lab}`;
}

/**
 * The first three octets of a lab's network, whose addresses play the internet. No host has them: TEST-NET-2
 * (RFC 5737) for lab 1, and the networks for measurements (RFC 2544) for the others.
 */
export function networkOf(lab: number): string {
  return lab === 1 ? '198.51.100' : `198.18.${lab}`;
}

/** The address of the host in a lab's network. */
export function gatewayOf(lab: number): string {
  return `${networkOf(lab)}.1`;
}

/** The bridge of a lab's network on the host: `gcelab0`, `gcelab2-0`, … Linux allows 15 characters. */
export function bridgeOf(lab: number): string {
  return lab === 1 ? 'gcelab0' : `gcelab${lab}-0`;
}

/** The label of a lab's machines and network; what the labs share has label `gcelab`. */
export function labelOf(lab: number): string {
  return `gcelab.lab=${lab}`;
}
