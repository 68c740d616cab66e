import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import type { Instance, World } from '../compute/world.ts';
import { hasNetwork, processOf } from '../container.ts';
import { Faults } from '../faults/faults.ts';
import { compileVpc } from './compile.ts';

/** The script for one instance, from the rules of its network. */
export function vpcScript(world: World, instance: Instance): string {
  const { project, name } = instance.network;
  const rules = [...(world.projects.get(project)?.firewalls.values() ?? [])];
  const peers = [...world.instances.values()].filter(
    (other) => other !== instance && other.network.project === project && other.network.name === name,
  );
  return compileVpc(
    rules.filter((rule) => rule.network.name === name),
    instance,
    peers,
  );
}

/** Puts the rules into force in the instances' containers. */
export class Enforcer {
  private readonly world: World;
  private readonly faults: Faults;
  /** The last application for each container: they must not overtake each other. */
  private readonly queues = new Map<string, Promise<void>>();

  constructor(world: World, faults = new Faults()) {
    this.world = world;
    this.faults = faults;
  }

  /**
   * Resolves when the rules are in force; throws when nft refuses them. With `firewall-lag` it resolves at once, and
   * what the rules are now comes into force later, unless the fault is over by then.
   */
  async enforce(instances: readonly Instance[]): Promise<void> {
    const lagMs = this.faults.milliseconds('firewall-lag');
    if (lagMs === 0) {
      await Promise.all(instances.map((instance) => this.enqueue(instance)));
      return;
    }
    for (const { container, script } of instances.map((each) => this.scriptOf(each))) {
      delay(lagMs, undefined, { ref: false })
        .then(() => (this.faults.isOn('firewall-lag') ? this.load(container, script) : undefined))
        .catch((error: unknown) => process.stderr.write(`firewall-lag: ${String(error)}\n`));
    }
  }

  private scriptOf(instance: Instance): { container: string | null; script: string } {
    return { container: instance.container, script: vpcScript(this.world, instance) };
  }

  /** The rules are those of the moment when it is this one's turn. */
  private enqueue(instance: Instance): Promise<void> {
    return this.load(instance.container, () => vpcScript(this.world, instance));
  }

  private load(container: string | null, script: string | (() => string)): Promise<void> {
    if (container === null) return Promise.resolve();
    const before = this.queues.get(container) ?? Promise.resolve();
    const next = before
      .catch(() => {})
      .then(() => load(container, typeof script === 'string' ? script : script()));
    this.queues.set(container, next);
    return next;
  }
}

const LIMIT_MS = 20_000;

/**
 * Loads a script straight in the container's namespaces: starting a Docker client for it would make each operation on
 * a rule longer by a quarter. A machine that is off loads the rules itself when it boots.
 */
async function load(container: string, script: string): Promise<void> {
  const pid = await processOf(container);
  if (pid === 0) return;
  const complaint = await nft(pid, script);
  if (complaint !== null && hasNetwork(pid) && (await processOf(container)) === pid)
    throw new Error(`nft in ${container}: ${complaint}`);
}

/** Null, or why nft refused the script. */
function nft(pid: number, script: string): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const child = spawn('nsenter', [`--target=${pid}`, '--mount', '--net', 'nft', '-f', '-'], {
      stdio: ['pipe', 'ignore', 'pipe'],
      timeout: LIMIT_MS,
    });
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      complaint += chunk;
    });
    child.stdin.on('error', () => {});
    child.stdin.end(script);
    child.on('error', reject);
    child.on('close', (code) => resolve(code === 0 ? null : `status ${code}: ${complaint.trim()}`));
  });
}
