import { control } from '../control.ts';
import { containerOf, instanceNumber } from '../instance.ts';
import { externalIp, internalIp } from '../network.ts';
import { attempt, docker, LabError } from '../process.ts';
import { RUNNER } from '../runner.ts';
import type { Fault } from './types.ts';

type Named = readonly [string, Fault];

const SHAPES = ['ipv6-only', 'no-external-address', 'two-nics', 'windows'];

/** Faults of Google Cloud. Their state is in the lab's cloud: lab/cloud/faults/. */
export const GOOGLE_FAULTS: Readonly<Record<string, Fault>> = Object.fromEntries<Fault>([
  counted('api-503', 'the next N mutations are answered with 503'),
  counted('api-reset', 'the connection of the next N mutations ends after Google acted'),
  counted('api-rate-limit', 'the next N mutations are answered with 403 rateLimitExceeded'),
  counted('api-conflict', '412 for N changes of tags or metadata, every second one in its operation'),
  counted('api-html', 'the next N requests are answered with a page of HTML'),
  [
    'operation-error',
    {
      usage: '[CODE] [N]',
      what: 'the next N operations (1) are DONE with an error (INTERNAL_ERROR)',
      start: ([code = 'INTERNAL_ERROR', n = '1']) =>
        turnOn('operation-error', { value: number(n), code: errorCode(code) }),
      end: () => turnOff('operation-error'),
    },
  ],
  lasting('operation-slow', 'SECONDS', 'operations take so much longer'),
  lasting('operation-endless', '', 'operations do not end'),
  lasting('firewall-lag', 'SECONDS', 'operations on rules are DONE, and in force only later'),
  lasting('key-lag', 'SECONDS', 'the instance sees new metadata, and so keys, later'),
  lasting('rules-quota', '', 'the project may have no more firewall rules'),
  lasting('page-token-repeats', '', 'the list of rules never ends'),
  ofInstance('metadata-full', 'the metadata of the instance are as large as they may be'),
  ofInstance('tags-full', 'the instance has 64 tags'),
  ofInstance('no-guest-attributes', 'the instance has published no host keys'),
  [
    'oslogin',
    {
      usage: '[project]',
      what: 'OS Login is on for the instance, or for its project',
      start: ([scope], instance) => turnOn(osLogin(scope), { instance }),
      end: async (instance) => {
        await turnOff('oslogin', instance);
        await turnOff('oslogin-project', instance);
      },
    },
  ],
  [
    'instance-shape',
    {
      usage: 'WHAT',
      what: `the instance is one of ${SHAPES.join(', ')}`,
      start: async ([shape = ''], instance) => {
        if (!SHAPES.includes(shape))
          throw new LabError(`There is no shape '${shape}', but ${SHAPES.join(', ')}.`);
        await turnOn(shape, { instance });
        if (shape === 'no-external-address') await openInternalWay(instance);
      },
      end: async (instance) => {
        for (const shape of SHAPES) await turnOff(shape, instance);
        await closeInternalWay(instance);
      },
    },
  ],
]);

function counted(name: string, what: string): Named {
  const start: Fault['start'] = ([n = '']) => turnOn(name, { value: number(n) });
  return [name, { usage: 'N', what, start, end: () => turnOff(name) }];
}

function lasting(name: string, usage: string, what: string): Named {
  const start: Fault['start'] = ([seconds = '1']) => turnOn(name, { value: number(seconds) });
  return [name, { usage, what, start, end: () => turnOff(name) }];
}

function ofInstance(name: string, what: string): Named {
  const start: Fault['start'] = (_, instance) => turnOn(name, { instance });
  return [name, { usage: '', what, start, end: (instance) => turnOff(name, instance) }];
}

async function turnOn(name: string, body: Readonly<Record<string, unknown>>): Promise<void> {
  await control('PUT', `/faults/${name}`, body);
}

async function turnOff(name: string, instance?: string): Promise<void> {
  await control('DELETE', `/faults/${name}${instance === undefined ? '' : `?instance=${instance}`}`);
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value;
  throw new LabError(`'${text}' is no number above 0.`);
}

function errorCode(text: string): string {
  if (/^[A-Z][A-Z0-9_]*$/.test(text)) return text;
  throw new LabError(`'${text}' is no code of an operation's error, such as INTERNAL_ERROR.`);
}

function osLogin(scope: string | undefined): string {
  if (scope === undefined) return 'oslogin';
  if (scope === 'project') return 'oslogin-project';
  throw new LabError(`OS Login is on for the instance, or for its 'project', not '${scope}'.`);
}

/** A runner in the instance's own network reaches it by its internal address, as a self-hosted one would. */
async function openInternalWay(instance: string): Promise<void> {
  const [inside, outside] = addresses(instance);
  await docker(['exec', containerOf(instance), 'ip', 'address', 'replace', `${inside}/32`, 'dev', 'eth0']);
  await docker(['exec', RUNNER, 'ip', 'route', 'replace', inside, 'via', outside]);
}

/** It is no error where there is none. */
async function closeInternalWay(instance: string): Promise<void> {
  const [inside] = addresses(instance);
  await attempt('docker', ['exec', RUNNER, 'ip', 'route', 'delete', inside]);
  await attempt('docker', [
    'exec',
    containerOf(instance),
    'ip',
    'address',
    'delete',
    `${inside}/32`,
    'dev',
    'eth0',
  ]);
}

function addresses(instance: string): readonly [string, string] {
  const number = instanceNumber(instance);
  return [internalIp(number), externalIp(number)];
}
