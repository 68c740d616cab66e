import { Resolver } from 'node:dns/promises';

/** What the DNS has for a host name. */
export type Resolved =
  /** Addresses of both families; empty: it knows none. */
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] }
  /** It could not be asked. */
  | { readonly kind: 'unknown'; readonly why: string };

export type Resolve = (name: string) => Promise<Resolved>;

/** Asks the DNS, and not what this machine has in a file of its own. */
export const resolveName: Resolve = async (name) => {
  const resolver = new Resolver({ timeout: 2000, tries: 2 });
  const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  const failed = answers.flatMap((answer) =>
    answer.status === 'rejected' && !isNoAnswer(answer.reason) ? [codeOf(answer.reason)] : [],
  );
  const [why] = failed;
  return addresses.length === 0 && why !== undefined
    ? { kind: 'unknown', why }
    : { kind: 'addresses', addresses };
};

/** There is no such name, or no address of that family. */
function isNoAnswer(error: unknown): boolean {
  return ['ENOTFOUND', 'ENODATA'].includes(codeOf(error));
}

function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException).code ?? error);
}
