import { inParallel } from '../../../src/push/closure';

/** Work that each test ends by hand. */
class Work {
  readonly begun: string[] = [];
  readonly ends = new Map<string, { done: () => void; fail: (error: Error) => void }>();
  readonly one = (name: string): Promise<void> => {
    this.begun.push(name);
    return new Promise((done, fail) => this.ends.set(name, { done, fail }));
  };
}

const turns = async () => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
};

test('two at a time, until all are done', async () => {
  const work = new Work();
  const all = inParallel(['a', 'b', 'c'], work.one);
  expect(work.begun).toEqual(['a', 'b']);
  work.ends.get('b')?.done();
  await turns();
  expect(work.begun).toEqual(['a', 'b', 'c']);
  work.ends.get('a')?.done();
  work.ends.get('c')?.done();
  await all;
});

test('after an error nothing is begun, and nothing goes on in the background', async () => {
  const work = new Work();
  let ended = false;
  const all = inParallel(['a', 'b', 'c', 'd'], work.one).finally(() => {
    ended = true;
  });
  all.catch(() => undefined);
  work.ends.get('a')?.fail(new Error('broken'));
  await turns();
  expect(ended).toBe(false);
  work.ends.get('b')?.done();
  await expect(all).rejects.toThrow('broken');
  expect(work.begun).toEqual(['a', 'b']);
});
