import { readFileSync, writeFileSync } from 'node:fs';
import { attempt, run } from './process.ts';

/** What an engine changes of the host's network and does not put back when it ends. */
export interface HostNetwork {
  /** `0` or `1`. */
  readonly ipForward: string;
  /** Policy of chain FORWARD, by program: `ACCEPT` or `DROP`. */
  readonly forwardPolicy: Readonly<Record<string, string>>;
}

const IP_FORWARD = '/proc/sys/net/ipv4/ip_forward';
const PROGRAMS = ['iptables', 'ip6tables'];
/** Rules and chains that Docker makes: by the names of its chains and bridges, and its hairpin rules. */
const OF_DOCKER = /DOCKER|docker0|gcelab(?:\d-)?0|\bbr-[0-9a-f]{12}\b|-s (\S+) -d \1 .*-j MASQUERADE/;

/** Reads it, before an engine is started. */
export async function readHostNetwork(): Promise<HostNetwork> {
  const policies = PROGRAMS.map(async (program) => {
    const { stdout } = await attempt(program, ['--list-rules', 'FORWARD']);
    return [program, /^-P FORWARD (\w+)/m.exec(stdout)?.[1] ?? 'ACCEPT'] as const;
  });
  return {
    ipForward: readFileSync(IP_FORWARD, 'utf8').trim(),
    forwardPolicy: Object.fromEntries(await Promise.all(policies)),
  };
}

/** Puts it back, after the engine has ended; rules that are not Docker's stay. */
export async function restoreHostNetwork(before: HostNetwork): Promise<void> {
  for (const [program, policy] of Object.entries(before.forwardPolicy)) {
    const saved = await attempt(`${program}-save`, []);
    if (!OF_DOCKER.test(saved.stdout)) continue;
    const kept = saved.stdout
      .split('\n')
      .filter((line) => !OF_DOCKER.test(line))
      .map((line) => line.replace(/^:FORWARD \w+/, `:FORWARD ${policy}`));
    await run(`${program}-restore`, [], { stdin: kept.join('\n') });
  }
  writeFileSync(IP_FORWARD, before.ipForward);
}
