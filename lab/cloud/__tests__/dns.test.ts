import { expect, test } from '@jest/globals';
import { answerTo, NXDOMAIN, readQuestion, TYPE_A } from '../dns/message.ts';
import { upstreamOf } from '../dns/server.ts';

/** A query as resolvers send it: id 0x1234, recursion desired. */
function query(name: string, type = TYPE_A): Buffer {
  const labels = name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]);
  return Buffer.from([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, type, 0, 1]);
}

test('the question of a query', () => {
  expect(readQuestion(query('Registry-1.Example.com', 28))).toEqual({
    name: 'registry-1.example.com',
    type: 28,
    end: 40,
  });
});

test.each([
  ['nothing', Buffer.alloc(0)],
  ['a header alone', query('a.b').subarray(0, 12)],
  ['a name without an end', query('registry.example.com').subarray(0, 20)],
  ['a pointer', Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1])],
])('%s is no query', (_, message) => {
  expect(readQuestion(message)).toBeNull();
});

test('an answer has the question, and the address behind it', () => {
  const message = query('a.example.com');
  const question = readQuestion(message);
  if (question === null) throw new Error('no question');
  const answer = answerTo(message, question, '198.18.3.20');
  expect(answer.subarray(0, 12).toString('hex')).toBe('123485800001000100000000');
  expect(answer.subarray(12, question.end)).toEqual(message.subarray(12));
  expect([...answer.subarray(-4)]).toEqual([198, 18, 3, 20]);
  const none = answerTo(message, question, null);
  expect(none.length).toBe(message.length);
  expect(none.readUInt16BE(6)).toBe(0);
  expect(answerTo(message, question, null, NXDOMAIN).readUInt16BE(2) & 0xf).toBe(3);
});

test('the first server of a resolv.conf', () => {
  expect(upstreamOf('search x\nnameserver 10.0.0.53\nnameserver 10.0.0.54\n')).toBe('10.0.0.53');
  expect(upstreamOf('search x\n')).toBeNull();
});
