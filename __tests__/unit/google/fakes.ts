import type { Clock } from '../../../src/google/clock';
import type { Log } from '../../../src/job/log';

/** A clock whose sleeps end at once, and are remembered. */
export function fakeClock(): Clock & { readonly slept: number[] } {
  let time = 0;
  const slept: number[] = [];
  return {
    slept,
    now: () => time,
    async sleep(ms) {
      slept.push(ms);
      time += ms;
    },
    after: () => () => {},
  };
}

/** A log that is remembered. */
export function fakeLog(): Log & { readonly lines: string[]; readonly masked: string[] } {
  const lines: string[] = [];
  const masked: string[] = [];
  const say = (text: string) => void lines.push(text);
  return {
    lines,
    masked,
    info: say,
    debug: say,
    notice: say,
    warning: say,
    foreign: say,
    group: (_title, work) => work(),
    mask: (secret) => void masked.push(secret),
  };
}

/** What gax throws for an answer of the Compute API. */
export function answer(status: number, reason: string, message = `${status} ${reason}`): Error {
  const body = { error: { code: status, message, errors: [{ reason, message, domain: 'global' }] } };
  return Object.assign(new Error(message), {
    httpStatusCode: status,
    [Symbol.for('google-gax.rawHttpResponsePayload')]: JSON.stringify(body),
  });
}

/** What gax throws when there is no answer. */
export function noAnswer(message = 'socket hang up'): Error {
  return Object.assign(new Error(message), { code: 14 });
}

/** What gax throws for a page of HTML. */
export function html(status: number): Error {
  return Object.assign(new Error('Error response could not be decoded: <html>…'), {
    httpStatusCode: status,
    [Symbol.for('google-gax.rawHttpResponsePayload')]: '<html>Sign in</html>',
  });
}
