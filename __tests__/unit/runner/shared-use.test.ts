import fc from 'fast-check';
import { insecureRegistries } from '../../../src/runner/daemon-json';
import {
  addForGood,
  type Claim,
  claim,
  type Files,
  parseRecord,
  release,
} from '../../../src/runner/shared-use';

const all = () => true;
const how = (makesDirectory: boolean, implicit: string[] = []) => ({
  isAlive: all,
  makesDirectory,
  implicit,
});
const bytes = (text: string | null) => (text === null ? null : Buffer.from(text));
const of = (id: string, entry: string): Claim => ({ id, entry, process: null, expires: 1 });
const listed = (files: Files) => insecureRegistries(files.file);

test('the last to leave puts back the bytes of the owner', () => {
  const owner = '{ "debug":true   }';
  let files: Files = { file: bytes(owner), record: null };
  files = claim(files, of('1', 'a:1'), how(false));
  files = claim(files, of('2', 'b:1'), how(false));
  files = claim(files, of('3', 'a:1'), how(false));
  expect(listed(files)).toEqual(['a:1', 'b:1']);
  files = release(files, '1', all);
  expect(listed(files)).toEqual(['b:1', 'a:1']);
  files = release(files, '2', all);
  expect(listed(files)).toEqual(['a:1']);
  files = release(files, '3', all);
  expect(files).toEqual({ file: bytes(owner), record: null });
  expect(release(files, '3', all)).toEqual(files);
});

test('an entry of the owner is not claimed, and stays', () => {
  const files = { file: bytes('{"insecure-registries":["a:1"]}'), record: null };
  expect(claim(files, of('1', 'a:1'), how(false))).toEqual(files);
});

test('what somebody else changed meanwhile stays', () => {
  const files = claim({ file: bytes('{}'), record: null }, of('1', 'a:1'), how(false));
  const edited = { ...files, file: bytes('{"insecure-registries":["a:1","mine:1"],"debug":true}') };
  expect(release(edited, '1', all).file?.toString()).toBe('{"insecure-registries":["mine:1"],"debug":true}');
});

test('what the daemon accepts by itself is listed with the first entry, and goes with the last', () => {
  const owner = { file: bytes('{ }'), record: null };
  const files = claim(owner, of('1', 'a:1'), how(false, ['127.0.0.0/8']));
  expect(listed(files)).toEqual(['127.0.0.0/8', 'a:1']);
  const both = claim(files, of('2', 'b:1'), how(false));
  expect(listed(both)).toEqual(['127.0.0.0/8', 'a:1', 'b:1']);
  expect(release(release(both, '1', all), '2', all)).toEqual(owner);
  const edited = { ...files, file: bytes('{"insecure-registries":["127.0.0.0/8","a:1","mine:1"]}') };
  expect(listed(release(edited, '1', all))).toEqual(['mine:1']);
  const own = { file: bytes('{"insecure-registries":["mine:1"]}'), record: null };
  expect(listed(claim(own, of('1', 'a:1'), how(false, ['127.0.0.0/8'])))).toEqual(['mine:1', 'a:1']);
  expect(listed(addForGood(owner, 'a:1', how(false, ['127.0.0.0/8'])))).toEqual(['127.0.0.0/8', 'a:1']);
});

test('claims of runs that died are dropped', () => {
  const dead = claim({ file: null, record: null }, of('dead', 'a:1'), how(true));
  const files = claim(dead, of('2', 'b:1'), { ...how(false), isAlive: ({ id }) => id !== 'dead' });
  expect(listed(files)).toEqual(['b:1']);
  expect(files.record?.madeDirectory).toBe(true);
  expect(release(files, '2', all)).toEqual({ file: null, record: null });
});

test('an entry that is to stay becomes the owner’s', () => {
  const files = addForGood(
    claim({ file: null, record: null }, of('1', 'a:1'), how(false)),
    'b:1',
    how(false),
  );
  expect(listed(files)?.toSorted()).toEqual(['a:1', 'b:1']);
  expect(listed(release(files, '1', all))).toEqual(['b:1']);
});

test.each(['', '{', 'null', '{"base":1}', '{"base":null,"written":"","claims":[{}]}'])(
  '%j is no record',
  (text) => {
    expect(parseRecord(text)).toBeNull();
  },
);

test('whatever the order, every claimed entry is listed, and in the end all is as before', () => {
  const owner = fc.constantFrom(
    null,
    '',
    '{}',
    '{ "debug": true }',
    '{"insecure-registries":["b:1"],\n"x":[1]}',
  );
  const step = fc.record({ run: fc.nat(5), leave: fc.boolean() });
  fc.assert(
    fc.property(owner, fc.array(step, { maxLength: 20 }), (text, steps) => {
      let files: Files = { file: bytes(text), record: null };
      const running = new Map<number, string>();
      for (const { run, leave } of steps) {
        const entry = `${'abc'[run % 3]}:1`;
        if (leave) running.delete(run);
        else running.set(run, entry);
        files = leave ? release(files, `${run}`, all) : claim(files, of(`${run}`, entry), how(false));
        const list = listed(files) ?? [];
        expect([...running.values()].filter((each) => !list.includes(each))).toEqual([]);
        files = { file: files.file, record: files.record && parseRecord(JSON.stringify(files.record)) };
      }
      for (const run of running.keys()) files = release(files, `${run}`, all);
      expect(files).toEqual({ file: bytes(text), record: null });
    }),
  );
});
