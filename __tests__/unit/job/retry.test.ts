import { retry } from '../../../src/job/retry';

test('no further try begins later than the limit after the first failure', async () => {
  jest.useFakeTimers();
  try {
    const began: number[] = [];
    const start = Date.now();
    const result = retry(
      async (attempt) => {
        began.push(Date.now() - start);
        jest.advanceTimersByTime(10_000);
        return { done: false, value: attempt };
      },
      {
        pausesMs: [1000, 1000, 1000, 1000],
        limitMs: 20_000,
        sleep: async (ms) => {
          jest.advanceTimersByTime(ms);
        },
        announce: () => undefined,
      },
    );
    expect(await result).toBe(3);
    // The third would begin at 22 s, 12 s after the first failure; the fourth at 33 s, 23 s after it.
    expect(began).toEqual([0, 11_000, 22_000]);
  } finally {
    jest.useRealTimers();
  }
});
