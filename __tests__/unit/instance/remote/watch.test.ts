import { execFileSync } from 'node:child_process';
import { APPLY_SCRIPT, FACTS_SCRIPT } from '../../../../src/instance/remote/assets';

// How long nothing answers while the front is replaced in place, by the scripts themselves; what they ask is a file.

const PRELUDE = `cd "$(mktemp -d)"; TOKEN=T HANDED_OVER=
docker() { echo '5000/tcp -> 0.0.0.0:5000'; }
front_runs() { true; }
http_status() { [[ ! -e up ]] || echo 200; }
touch up
`;

function bash(script: string): string {
  const text = `${FACTS_SCRIPT}\n${APPLY_SCRIPT}\n${PRELUDE}${script}\n`;
  return execFileSync('bash', ['--norc', '-euo', 'pipefail'], { input: text, encoding: 'utf8' }).trim();
}

test('the time without an answer is measured', () => {
  const said = bash(`begin_watch 5001:everywhere
    sleep 0.3; rm up; sleep 0.8; touch up; sleep 0.3
    end_watch 5001:everywhere`);
  const [, milliseconds] = /^T front away (\d+)$/.exec(said) ?? [];
  expect(Number(milliseconds)).toBeGreaterThan(700);
  expect(Number(milliseconds)).toBeLessThan(5000);
});

test.each([
  ['a hand-over', 'HANDED_OVER=handed-over', 'T front handed-over'],
  ['a hand-over that cut transfers off', 'HANDED_OVER=cut-off', 'T front cut-off'],
  ['a front that did not run before', 'front_runs() { false; }', 'T front away'],
])('nothing is measured with %s', (_case, given, said) => {
  expect(bash(`${given}\nbegin_watch 5000:loopback; end_watch 5000:loopback`)).toBe(said);
});

test('nothing is said where the front is not replaced', () => {
  expect(bash("begin_watch ''; end_watch ''")).toBe('');
});

test('whoever asks ends with the step, whatever becomes of it', () => {
  expect(
    bash(`watcher=$(begin_watch 5000:everywhere; echo "$WATCH"; exit 0)
      for try in {1..100}; do kill -0 "$watcher" 2>/dev/null || { echo ended; exit; }; sleep 0.1; done`),
  ).toBe('ended');
});
