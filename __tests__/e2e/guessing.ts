import { Agent, get } from 'node:https';

/** Somebody who guesses the password of a login, from this host. */
export interface Guesser {
  /** How many guesses were answered so far. */
  readonly answers: () => number;
  /** They stop; returns what they were answered with, and how fast. */
  readonly end: () => Promise<{ readonly statuses: readonly string[]; readonly perSecond: number }>;
}

/** Begins to guess on so many connections at a time, each time another password. The first guess has been made when it returns. */
export async function beginGuessing(ip: string, name: string, connections: number): Promise<Guesser> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections, rejectUnauthorized: false });
  const statuses: string[] = [];
  const start = Date.now();
  let isOver = false;
  let guess = 0;
  const once = () =>
    new Promise<void>((resolve) => {
      guess += 1;
      const auth = `${name}:guess-${guess}`;
      const done = (status: string) => {
        statuses.push(status);
        resolve();
      };
      get({ host: ip, port: 5000, path: '/v2/', agent, auth }, (response) => {
        response.on('error', ({ message }) => done(message));
        response.on('end', () => done(String(response.statusCode)));
        response.resume();
      }).on('error', ({ message }) => done(message));
    });
  const first = once();
  const all = Array.from({ length: connections }, async () => {
    while (!isOver) await once();
  });
  await first;
  return {
    answers: () => statuses.length,
    end: async () => {
      isOver = true;
      await Promise.all(all);
      agent.destroy();
      const perSecond = statuses.length / ((Date.now() - start) / 1000);
      return { statuses: [...new Set(statuses)], perSecond };
    },
  };
}
