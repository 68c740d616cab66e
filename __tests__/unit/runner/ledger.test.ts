import fc from 'fast-check';
import { insecureRegistries } from '../../../src/runner/daemon-json';
import { addForGood, type Claim, claim, type Files, parseLedger, release } from '../../../src/runner/ledger';

const all = () => true;
const bytes = (text: string | null) => (text === null ? null : Buffer.from(text));
const of = (id: string, entry: string): Claim => ({ id, entry, process: null, expires: 1 });
const listed = (files: Files) => insecureRegistries(files.file);

test('the last to leave puts back the bytes of the owner', () => {
  const owner = '{ "debug":true   }';
  let files: Files = { file: bytes(owner), ledger: null };
  files = claim(files, of('1', 'a:1'), all, false);
  files = claim(files, of('2', 'b:1'), all, false);
  files = claim(files, of('3', 'a:1'), all, false);
  expect(listed(files)).toEqual(['a:1', 'b:1']);
  files = release(files, '1', all);
  expect(listed(files)).toEqual(['b:1', 'a:1']);
  files = release(files, '2', all);
  expect(listed(files)).toEqual(['a:1']);
  files = release(files, '3', all);
  expect(files).toEqual({ file: bytes(owner), ledger: null });
  expect(release(files, '3', all)).toEqual(files);
});

test('an entry of the owner is not claimed, and stays', () => {
  const files = { file: bytes('{"insecure-registries":["a:1"]}'), ledger: null };
  expect(claim(files, of('1', 'a:1'), all, false)).toEqual(files);
});

test('what somebody else changed meanwhile stays', () => {
  const files = claim({ file: bytes('{}'), ledger: null }, of('1', 'a:1'), all, false);
  const edited = { ...files, file: bytes('{"insecure-registries":["a:1","mine:1"],"debug":true}') };
  expect(release(edited, '1', all).file?.toString()).toBe('{"insecure-registries":["mine:1"],"debug":true}');
});

test('claims of runs that died are dropped', () => {
  const dead = claim({ file: null, ledger: null }, of('dead', 'a:1'), all, true);
  const files = claim(dead, of('2', 'b:1'), ({ id }) => id !== 'dead', false);
  expect(listed(files)).toEqual(['b:1']);
  expect(files.ledger?.madeDirectory).toBe(true);
  expect(release(files, '2', all)).toEqual({ file: null, ledger: null });
});

test('an entry that is to stay becomes the owner’s', () => {
  const files = addForGood(claim({ file: null, ledger: null }, of('1', 'a:1'), all, false), 'b:1', all);
  expect(listed(files)?.toSorted()).toEqual(['a:1', 'b:1']);
  expect(listed(release(files, '1', all))).toEqual(['b:1']);
});

test.each(['', '{', 'null', '{"base":1}', '{"base":null,"written":"","claims":[{}]}'])(
  '%j is no ledger',
  (text) => {
    expect(parseLedger(text)).toBeNull();
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
      let files: Files = { file: bytes(text), ledger: null };
      const running = new Map<number, string>();
      for (const { run, leave } of steps) {
        const entry = `${'abc'[run % 3]}:1`;
        if (leave) running.delete(run);
        else running.set(run, entry);
        files = leave ? release(files, `${run}`, all) : claim(files, of(`${run}`, entry), all, false);
        const list = listed(files) ?? [];
        expect([...running.values()].filter((each) => !list.includes(each))).toEqual([]);
        files = { file: files.file, ledger: files.ledger && parseLedger(JSON.stringify(files.ledger)) };
      }
      for (const run of running.keys()) files = release(files, `${run}`, all);
      expect(files).toEqual({ file: bytes(text), ledger: null });
    }),
  );
});
