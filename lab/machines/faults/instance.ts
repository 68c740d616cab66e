import { LabError } from '../process.ts';
import { CLOCK_SKEW } from './clock.ts';
import { endByScript, runScript } from './script.ts';
import type { Fault } from './types.ts';

/** Faults of an instance. */
export const INSTANCE_FAULTS: Readonly<Record<string, Fault>> = {
  'apt-lock': {
    ...scripted('apt-lock.sh', 'SECONDS', 'another program holds the locks of apt and dpkg'),
    start: ([seconds = ''], instance) =>
      runScript(instance, 'apt-lock.sh', ['start', wholeNumber('SECONDS', seconds)]),
  },
  'dpkg-interrupted': scripted('dpkg-interrupted.sh', '', 'dpkg was killed at its work'),
  'disk-full': {
    ...scripted(
      'disk-full.sh',
      '[MIB]',
      'no space is left for Docker and apt, at once or after MIB MiB more',
    ),
    start: ([mebibytes], instance) =>
      runScript(instance, 'disk-full.sh', [
        'start',
        ...(mebibytes === undefined ? [] : [wholeNumber('MIB', mebibytes)]),
      ]),
  },
  'clock-skew': CLOCK_SKEW,
  'certificate-expires': {
    ...scripted('certificate-expires.sh', 'SECONDS', 'the certificate of a private-ca front ends soon'),
    start: ([seconds = ''], instance) =>
      runScript(instance, 'certificate-expires.sh', ['start', wholeNumber('SECONDS', seconds)]),
  },
  'front-killed': {
    ...scripted('front-killed.sh', 'SECONDS', 'Caddy is killed again and again'),
    start: ([seconds = ''], instance) =>
      runScript(instance, 'front-killed.sh', ['start', wholeNumber('SECONDS', seconds)]),
  },
  'no-internet': scripted('no-internet.sh', '', 'the instance reaches nothing but the metadata server'),
  'host-key-changed': scripted('host-key-changed.sh', '', 'the host keys are not those that were published'),
};

/** A fault that a script of its own turns on and off. */
function scripted(script: string, usage: string, what: string): Fault {
  return {
    usage,
    what,
    start: (args, instance) => runScript(instance, script, ['start', ...args]),
    end: (instance) => endByScript(instance, script),
  };
}

function wholeNumber(name: string, text: string): string {
  if (/^\d{1,6}$/.test(text)) return text;
  throw new LabError(`${name} is a whole number.`);
}
