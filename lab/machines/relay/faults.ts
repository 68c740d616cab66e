export const LIES = [
  'wrong-digest',
  'wrong-manifest',
  'wrong-content-type',
  'redirect',
  'endless-body',
] as const;
export type Lie = (typeof LIES)[number];

/** What is wrong with the wire at present; null or 0 for what is not. */
export class WireFaults {
  /** The next SSH connection that carries so many bytes is reset then, once. */
  'ssh-drop': number | null = null;
  /** Every SSH connection is. */
  'ssh-drop-always': number | null = null;
  /** Milliseconds that a byte takes, either way. */
  'slow-network' = 0;
  /** Requests to the registry that are still to be answered with 502. */
  'registry-502' = 0;
  /** Every connection to the registry is reset after so many bytes. */
  'registry-reset': number | null = null;
  'registry-lies': Lie | null = null;

  /** What was done so far, for tests that have to know that their fault struck; the most bytes of an SSH connection. */
  readonly struck = {
    sshDrops: 0,
    sshBytes: 0,
    badGateways: 0,
    registryResets: 0,
    lies: 0,
    elsewhere: 0,
  };

  /** Sets one by name; `off` ends it. Throws for what makes no sense. */
  set(name: string, value: string): void {
    const number = value === 'off' ? null : Number(value);
    if (number !== null && name !== 'registry-lies' && !(Number.isInteger(number) && number >= 0)) {
      throw new Error(`${name} takes a number from 0 on`);
    }
    switch (name) {
      case 'ssh-drop':
      case 'ssh-drop-always':
      case 'registry-reset':
        this[name] = number;
        return;
      case 'slow-network':
      case 'registry-502':
        this[name] = number ?? 0;
        return;
      case 'registry-lies':
        this[name] = value === 'off' ? null : lieOf(value);
        return;
      default:
        throw new Error(`there is no fault ${name}`);
    }
  }

  /** Whether a connection to sshd is to be reset, now that it has carried so many bytes. */
  sshLimit(): number | null {
    return this['ssh-drop-always'] ?? this['ssh-drop'];
  }

  /** Takes one 502, if one is left. */
  takeBadGateway(): boolean {
    if (this['registry-502'] === 0) return false;
    this['registry-502'] -= 1;
    this.struck.badGateways += 1;
    return true;
  }

  get any(): boolean {
    return (
      this.sshLimit() !== null ||
      this['slow-network'] > 0 ||
      this['registry-502'] > 0 ||
      this['registry-reset'] !== null ||
      this['registry-lies'] !== null
    );
  }
}

function lieOf(kind: string): Lie {
  const found = LIES.find((lie) => lie === kind);
  if (found === undefined) throw new Error(`a registry lies as ${LIES.join(', ')}`);
  return found;
}
