import { loginRows } from '../../../src/health/login-rows';
import type { Facts } from '../../../src/instance/facts/facts';
import { NO_USERS } from '../../../src/instance/facts/users';

const rows = (present: string[], wanted: string[], status: number | null) => {
  const facts = { users: { ...NO_USERS, present, wanted }, probes: new Map([['registry', status]]) };
  return loginRows(facts as Partial<Facts> as Facts).map(({ state, finding }) => `${state}: ${finding}`);
};

test.each<[string[], string[], number | null, string[]]>([
  [[], [], 200, []],
  [['ci', 'pod (may only pull)'], ['ci'], 401, ['healthy: ci, pod (may only pull)']],
  [['ci'], ['ci'], 200, ['unhealthy: the registry lets in who has none']],
  [['ci'], [], 200, ['unhealthy: the registry lets in who has none']],
  [[], ['ci'], 200, ['unhealthy: the registry lets in who has none']],
  [[], ['ci'], null, ['unhealthy: there are none, and there is to be ci']],
])('%j, where %j are asked for, and the registry answers %j', (present, wanted, status, expected) => {
  expect(rows(present, wanted, status)).toEqual(expected);
});
