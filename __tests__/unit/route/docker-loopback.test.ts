import type { Docker } from '../../../src/docker/docker';
import { requireSharedLoopback } from '../../../src/route/docker-loopback';

/** A daemon that pulls as it is told. */
const daemon = (pull: (reference: string) => Promise<unknown>): Docker =>
  ({
    pull: async (reference: string) => {
      await pull(reference).catch(() => undefined);
      return { ok: false, output: '' };
    },
  }) as Partial<Docker> as Docker;

const urlOf = (reference: string) => {
  const [, host = '', path = '', tag = ''] = /^([^/]+)\/(.+):([^:]+)$/.exec(reference) ?? [];
  return { base: `http://${host}/v2/`, manifest: `http://${host}/v2/${path}/manifests/${tag}` };
};

test('a daemon of this machine is seen to come, as from a registry that has no such image', async () => {
  const statuses: number[] = [];
  await requireSharedLoopback(
    daemon(async (reference) => {
      const { base, manifest } = urlOf(reference);
      for (const url of [base, manifest]) statuses.push((await fetch(url)).status);
    }),
  );
  expect(statuses).toEqual([200, 404]);
});

test.each([
  ['never comes', async () => undefined, /another machine/],
  [
    'wants a certificate',
    (reference: string) => fetch(urlOf(reference).base.replace('http:', 'https:')),
    /insecure-registries/,
  ],
  ['asks for something else', (reference: string) => fetch(urlOf(reference).base), /insecure-registries/],
])('one that %s is refused', async (_, pull, happened) => {
  await expect(requireSharedLoopback(daemon(pull))).rejects.toMatchObject({
    title: 'Docker does not reach the tunnel',
    problem: { happened: expect.stringMatching(happened) },
  });
});
