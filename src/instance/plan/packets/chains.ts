import { contains, overlap } from '../../../values/networks';

/** A packet that begins a connection from outside to a container, or to a program of the instance. */
export interface Packet {
  /** `forward`: Docker has given it the address of a container; `input`: it is for a program of the instance. */
  readonly hook: 'forward' | 'input';
  /** Devices that it comes in and goes out by; null where not known, and `br-` stands for any bridge of Docker. */
  readonly inDevice: string | null;
  readonly outDevice: string | null;
  /** Whom it is from, and the network that it goes to, as CIDRs; null where that may be anybody, and anywhere. */
  readonly source: string | null;
  readonly destination: string | null;
  /** Port that it goes to now, and the one that it was sent to. */
  readonly port: number;
  readonly originalPort: number;
}

/** Whether a rule is for a packet. */
export type Match = 'yes' | 'no' | 'maybe';

/** Whether an address, or network, is in one that a rule names. */
export function within(named: string, address: string | null): Match {
  if (address === null || !/^[0-9.]+(\/\d+)?$/.test(named)) return 'maybe';
  const wanted = named.includes('/') ? named : `${named}/32`;
  if (contains(wanted, address)) return 'yes';
  return overlap(wanted, address) ? 'maybe' : 'no';
}

export type Verdict =
  | { readonly kind: 'accept' }
  | { readonly kind: 'drop' }
  | { readonly kind: 'return' }
  | { readonly kind: 'continue' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string };

/** A rule as it applies to one packet. */
export interface Rule {
  readonly match: Match;
  readonly verdict: Verdict;
  /** As its owner knows it. */
  readonly text: string;
}

export interface Chain {
  readonly rules: readonly Rule[];
  /** What becomes of a packet at its end; null where it goes back to where it came from. */
  readonly policy: 'accept' | 'drop' | null;
}

export type Fate =
  | { readonly kind: 'accept' | 'pass' }
  /** `by`: the rule, or the policy, that drops it. */
  | { readonly kind: 'drop' | 'unknown'; readonly by: string };

/**
 * What becomes of a packet in a chain: `pass` where it comes out at its end, `unknown` where it depends on what is not
 * known of it or of a rule.
 */
export function fateIn(chains: ReadonlyMap<string, Chain>, name: string): Fate {
  return fate(name, chains, new Map());
}

/** Each chain is walked once; `known` has those that are done, or at work. */
function fate(name: string, chains: ReadonlyMap<string, Chain>, known: Map<string, Fate>): Fate {
  const before = known.get(name);
  if (before !== undefined) return before;
  known.set(name, { kind: 'unknown', by: `chain ${name}` });
  const chain = chains.get(name);
  if (chain === undefined) return { kind: 'unknown', by: `chain ${name}` };
  const end = endOf(name, chain);
  const found = chain.rules.reduceRight<Fate>((rest, rule) => {
    if (rule.match === 'no') return rest;
    const taken = fateUnder(rule, rest, end, chains, known);
    return rule.match === 'yes' ? taken : either(taken, rest, rule.text);
  }, end);
  known.set(name, found);
  return found;
}

function endOf(name: string, { policy }: Chain): Fate {
  if (policy === null) return { kind: 'pass' };
  return policy === 'accept' ? { kind: 'accept' } : { kind: 'drop', by: `policy drop of chain ${name}` };
}

function fateUnder(
  { verdict, text }: Rule,
  rest: Fate,
  end: Fate,
  chains: ReadonlyMap<string, Chain>,
  known: Map<string, Fate>,
): Fate {
  switch (verdict.kind) {
    case 'accept':
      return { kind: 'accept' };
    case 'drop':
      return { kind: 'drop', by: text };
    case 'continue':
      return rest;
    case 'return':
      return end;
    case 'jump':
    case 'goto': {
      const found = fate(verdict.chain, chains, known);
      if (found.kind !== 'pass') return found;
      return verdict.kind === 'jump' ? rest : end;
    }
  }
}

function either(one: Fate, other: Fate, by: string): Fate {
  return one.kind === other.kind && one.kind !== 'unknown' ? one : { kind: 'unknown', by };
}
