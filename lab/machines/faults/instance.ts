import { readFileSync } from 'node:fs';
import { ensureCertificates } from '../../cloud/certificates.ts';
import { cacheFolder } from '../checkout.ts';
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
    ...scripted('certificate-expires.sh', 'SECONDS', 'the certificate of the front ends in SECONDS'),
    start: ([seconds = ''], instance) => {
      const { rootFile, rootKeyFile } = ensureCertificates(cacheFolder('certificates'));
      const authority = [rootFile, rootKeyFile].map((file) => readFileSync(file).toString('base64'));
      const words = ['start', wholeNumber('SECONDS', seconds, 8), ...authority];
      return runScript(instance, 'certificate-expires.sh', words);
    },
  },
  'front-killed': {
    ...scripted('front-killed.sh', '[SECONDS]', 'the front is killed, once or again and again after SECONDS'),
    start: ([seconds], instance) =>
      runScript(instance, 'front-killed.sh', [
        'start',
        ...(seconds === undefined ? [] : [wholeNumber('SECONDS', seconds)]),
      ]),
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

function wholeNumber(name: string, text: string, digits = 6): string {
  if (/^\d+$/.test(text) && text.length <= digits) return text;
  throw new LabError(`${name} is a whole number.`);
}
