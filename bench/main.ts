// npm run bench [-- PART …]: measures the action in the lab, each side beside its like in the same run, and prints one
// table. Parts: start, cold, warm, waits, push, front, route, window, trace; all of them without arguments. They leave
// the lab's project and its first instance as new.
import { cpus, loadavg, totalmem } from 'node:os';
import { cold } from './cold.ts';
import { front } from './front.ts';
import { type Ground, survey, tidy } from './ground.ts';
import { largestMemory, on } from './lab.ts';
import { push } from './push.ts';
import { route } from './route.ts';
import { start } from './start.ts';
import { limit, type Row, render } from './table.ts';
import { trace } from './trace.ts';
import { waits } from './waits.ts';
import { warm } from './warm.ts';
import { window } from './window.ts';

const PARTS: Readonly<Record<string, (ground: Ground) => Promise<Row[]>>> = {
  start,
  cold,
  warm,
  waits,
  window,
  push,
  front,
  route,
  trace,
};
const MEMORY_MB = 120;

async function main(names: readonly string[]): Promise<void> {
  const began = Date.now();
  const ground = await survey();
  const rows: Row[] = [];
  try {
    for (const name of names) {
      process.stderr.write(`${name}\n`);
      rows.push(...((await PARTS[name]?.(ground)) ?? []));
    }
  } finally {
    await tidy(ground);
  }
  const memory = largestMemory();
  if (memory > 0)
    rows.push(
      limit('memory of the main step, the most of all runs', (memory * 2 ** 20) / 1e6, MEMORY_MB, megabytes),
    );
  console.log(`\n${render(rows)}`);
  console.log(await conditions((Date.now() - began) / 60_000));
}

function megabytes(value: number): string {
  return `${value.toFixed(0)} MB`;
}

/** What the numbers depend on. */
async function conditions(minutes: number): Promise<string> {
  const [cpu] = cpus();
  const versions = await on(
    'runner',
    `echo "Node $(node --version), Docker $(docker version --format '{{.Server.Version}}')"
    dpkg-query --show --showformat='Ansible \${source:Upstream-Version}' ansible 2>/dev/null || true`,
  );
  const machine = `${cpus().length} × ${cpu?.model.trim()}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB`;
  return (
    `Medians, with the least and the most in brackets; ratios are medians of each round's. ${machine}, ` +
    `load ${loadavg()
      .map((load) => load.toFixed(1))
      .join(' ')}; all machines of the lab share it. ` +
    `${versions.replaceAll('\n', ', ')}. Took ${minutes.toFixed(1)} minutes.`
  );
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(PARTS, name));
if (unknown.length > 0) {
  process.stderr.write(`usage: npm run bench [-- ${Object.keys(PARTS).join('|')} …]\n`);
  process.exitCode = 2;
} else {
  await main(asked.length > 0 ? asked : Object.keys(PARTS));
}
