// Start-up: from the start of `node dist/index.js` to its first Compute API call, as the Compute API's log has it (that
// is when it was answered), and to its first call of Docker where no Compute call is needed. Beside them, a Node that does
// nothing, on the same machine.
import { statSync } from 'node:fs';
import type { Ground } from './ground.ts';
import { CHECKOUT, control, on } from './lab.ts';
import type { Starts } from './start/on-runner.ts';
import { comparison, limit, type Row } from './table.ts';

const ROUNDS = 11;

export async function start({ socket, accessToken }: Ground): Promise<Row[]> {
  const last = (await control<Call[]>(socket, 'GET', '/log?after=0')).at(-1)?.n ?? 0;
  const output = await on(
    'runner',
    `cd /tmp && runuser -u runner -- env NODE_EXTRA_CA_CERTS=/usr/local/share/ca-certificates/gcelab.crt \
       ROUNDS=${ROUNDS} LAB_ACCESS_TOKEN='${accessToken}' node ${CHECKOUT}/bench/start/on-runner.ts ${CHECKOUT}`,
  );
  const { empty, push, began } = JSON.parse(output) as Starts;
  const calls = await control<Call[]>(socket, 'GET', `/log?after=${last}`);
  const compute = began.map((begin, round) => {
    const first = calls.find(({ path }) => path.endsWith(`/instances/start-${round}`));
    if (first === undefined) throw new Error('a run asked for no instance');
    return (Date.parse(first.time) - begin) / 1000;
  });
  const node = { name: 'empty Node', samples: empty };
  return [
    comparison('start to the first Compute call', compute, node, { most: 0.2 }),
    comparison('start to the first call of Docker, no Compute call', push, node, { most: 0.15 }),
    limit(
      'bundle dist/index.js',
      statSync('dist/index.js').size / 1e6,
      2,
      (value) => `${value.toFixed(2)} MB`,
    ),
  ];
}

interface Call {
  readonly n: number;
  readonly time: string;
  readonly path: string;
}
