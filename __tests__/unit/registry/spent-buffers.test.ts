import { spentBuffer } from '../../../src/registry/spent-buffers';

test('buffers that are done with do not pile up', () => {
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  for (let count = 0; count < 8000; count += 1) {
    spentBuffer(Buffer.alloc(64 * 1024).length);
    if (count % 16 === 0) most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }
  expect(most).toBeLessThan(16 * 1024 * 1024);
});
