import { type Chain, type Match, type Packet, type Rule, type Verdict, within } from './chains';

/** The chains of `iptables -S`, as they apply to a packet. */
export function iptablesChains(text: string, packet: Packet): ReadonlyMap<string, Chain> {
  const chains = new Map<string, { rules: Rule[]; policy: Chain['policy'] }>();
  for (const line of text.split('\n')) {
    const [command, name = '', ...words] = wordsOf(line);
    if (command === '-P') chains.set(name, { rules: [], policy: words[0] === 'DROP' ? 'drop' : 'accept' });
    if (command === '-N') chains.set(name, { rules: [], policy: null });
    if (command === '-A') chains.get(name)?.rules.push(ruleOf(words, line, packet));
  }
  return chains;
}

/** Words between blanks; one in quotes, as a comment, is one. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

function ruleOf(words: readonly string[], text: string, packet: Packet): Rule {
  let match: Match = 'yes';
  let verdict: Verdict = { kind: 'continue' };
  let negated = false;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '!') {
      negated = true;
      continue;
    }
    if (word === '-j' || word === '-g') {
      verdict = verdictOf(words[at + 1] ?? '', word === '-g');
      break;
    }
    const found =
      word === '--tcp-flags'
        ? { match: flags(words[at + 1] ?? '', words[at + 2] ?? ''), takes: 2 }
        : matchOf(word, words[at + 1] ?? '', packet);
    if (found === null) match = and(match, 'maybe');
    else {
      match = and(match, negated ? not(found.match) : found.match);
      at += found.takes;
    }
    negated = false;
  }
  return { match, verdict, text };
}

function verdictOf(target: string, isGoto: boolean): Verdict {
  switch (target) {
    case 'ACCEPT':
      return { kind: 'accept' };
    case 'DROP':
    case 'REJECT':
      return { kind: 'drop' };
    case 'RETURN':
      return { kind: 'return' };
    // These do something to a packet, or with it, and go on.
    case 'LOG':
    case 'NFLOG':
    case 'MARK':
    case 'CONNMARK':
    case 'TCPMSS':
    case '':
      return { kind: 'continue' };
    default:
      return { kind: isGoto ? 'goto' : 'jump', chain: target };
  }
}

/** One option of a rule with its value; null where nothing can be said of it. */
function matchOf(option: string, value: string, packet: Packet): { match: Match; takes: number } | null {
  const answer = (match: Match, takes = 1) => ({ match, takes });
  switch (option) {
    case '-m':
    case '--comment':
      return answer('yes');
    case '-p':
      return answer(value === 'tcp' || value === 'all' ? 'yes' : 'no');
    case '-i':
      return answer(device(value, packet.inDevice, '+'));
    case '-o':
      return answer(device(value, packet.outDevice, '+'));
    case '--dport':
      return answer(ports(value, packet.port));
    case '--dports':
      return answer(ports(value, packet.port));
    case '--ctorigdstport':
      return answer(ports(value, packet.originalPort));
    case '--ctdir':
      return answer(value === 'ORIGINAL' ? 'yes' : 'no');
    case '--ctstate':
    case '--state': {
      const states = value.split(',');
      const isNew = states.includes('NEW') || (states.includes('DNAT') && packet.hook === 'forward');
      return answer(isNew ? 'yes' : 'no');
    }
    case '--syn':
      return answer('yes', 0);
    case '-s':
      return answer(within(value, packet.source));
    case '-d':
      return answer(within(value, packet.destination));
    case '--sport':
    case '--sports':
      return answer('maybe');
    default:
      return null;
  }
}

/** Whether a packet goes by a device; a name that ends in `wildcard` stands for all that begin so. */
export function device(wanted: string, present: string | null, wildcard: string): Match {
  if (present === null) return 'maybe';
  const open = wanted.endsWith(wildcard);
  const name = open ? wanted.slice(0, -1) : wanted;
  // One of Docker's bridges, which has no name yet, or is not asked for.
  if (present === 'br-')
    return name.startsWith('br-')
      ? open && name === 'br-'
        ? 'yes'
        : 'maybe'
      : open && 'br-'.startsWith(name)
        ? 'yes'
        : 'no';
  return (open ? present.startsWith(name) : present === name) ? 'yes' : 'no';
}

/** What begins a connection has SYN alone. */
function flags(mask: string, set: string): Match {
  return (set === 'SYN') === mask.split(',').includes('SYN') && (set === 'SYN' || set === 'NONE')
    ? 'yes'
    : 'no';
}

function ports(value: string, port: number): Match {
  const hit = value.split(',').some((part) => {
    const [first = Number.NaN, last = first] = part.split(':').map(Number);
    return port >= first && port <= last;
  });
  return hit ? 'yes' : 'no';
}

export function and(one: Match, other: Match): Match {
  if (one === 'no' || other === 'no') return 'no';
  return one === 'yes' && other === 'yes' ? 'yes' : 'maybe';
}

export function not(match: Match): Match {
  return match === 'yes' ? 'no' : match === 'no' ? 'yes' : 'maybe';
}
