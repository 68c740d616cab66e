import type { Cloud } from '../compute/call.ts';
import type { Instance, Project } from '../compute/world.ts';
import { json, type Reply, text } from '../front/exchange.ts';
import { COUNTED, type CountedFault, LASTING, type LastingFault } from './faults.ts';
import { INSTANCE_FAULTS } from './instance-faults.ts';

/**
 * `PUT /faults/NAME` {value?: N or seconds, code?: of an operation's error, instance?} and
 * `DELETE /faults/NAME?instance=…`.
 */
export async function handleFault(
  cloud: Cloud,
  method: string,
  name: string,
  body: Readonly<Record<string, unknown>>,
): Promise<Reply> {
  const turnOn = method === 'PUT';
  if (isNamed(name)) {
    if (turnOn) cloud.faults.start(name, Number(body.value ?? 1), body.code as string | undefined);
    else await end(cloud, name);
    return json(200, { name, on: turnOn });
  }
  const fault = INSTANCE_FAULTS[name];
  if (fault === undefined) return text(404, `no fault ${name}\n`);
  const [instance, project] = subject(cloud, String(body.instance ?? ''));
  if (instance === undefined || project === undefined)
    return text(404, `no instance ${String(body.instance)}\n`);
  fault[turnOn ? 'start' : 'end'](instance, project);
  instance.changed.emit('changed');
  return json(200, { name, on: turnOn });
}

function isNamed(name: string): name is CountedFault | LastingFault {
  return ([...COUNTED, ...LASTING] as readonly string[]).includes(name);
}

function subject({ world }: Cloud, name: string): [Instance | undefined, Project | undefined] {
  const instance = world.instances.get(name);
  return [instance, world.projects.get(instance?.project ?? '')];
}

/** What was held back comes into force. */
async function end(cloud: Cloud, name: CountedFault | LastingFault): Promise<void> {
  cloud.faults.end(name);
  const instances = [...cloud.world.instances.values()];
  if (name === 'firewall-lag') await cloud.enforce(instances);
  if (name === 'key-lag') {
    for (const instance of instances) {
      instance.shown = null;
      instance.changed.emit('changed');
    }
  }
}
