import { spawn } from 'node:child_process';
import type { Instance, World } from '../compute/world.ts';
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
  /** The last application for each container: they must not overtake each other. */
  private readonly queues = new Map<string, Promise<void>>();

  constructor(world: World) {
    this.world = world;
  }

  /** Resolves when the rules are in force; throws when nft refuses them. */
  async enforce(instances: readonly Instance[]): Promise<void> {
    await Promise.all(instances.map((instance) => this.enqueue(instance)));
  }

  private enqueue(instance: Instance): Promise<void> {
    const { container } = instance;
    if (container === null) return Promise.resolve();
    const before = this.queues.get(container) ?? Promise.resolve();
    const next = before.catch(() => {}).then(() => load(container, vpcScript(this.world, instance)));
    this.queues.set(container, next);
    return next;
  }
}

/** Docker's words for a container that is off. Its machine loads the rules itself when it boots. */
const OFF = /No such container|is not running|is paused|is restarting/i;
const LIMIT_MS = 20_000;

function load(container: string, script: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('docker', ['exec', '-i', container, 'nft', '-f', '-'], {
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
    child.on('close', (code) => {
      if (code === 0 || OFF.test(complaint)) resolve();
      else reject(new Error(`nft in ${container} ended with ${code}: ${complaint.trim()}`));
    });
  });
}
