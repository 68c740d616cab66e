// Prints what bin/lab saw of two runs from outside: sshd's log, the Compute API's log, the web UI's page.
import { readFileSync } from 'node:fs';

interface Seen {
  readonly seconds: number;
  readonly outputs: Readonly<Record<string, string>>;
  readonly ssh: { readonly connections: number; readonly commands: number };
  readonly api: readonly { readonly method: string; readonly path: string }[];
  readonly later: { readonly output: string };
}

const [first, second] = process.argv
  .slice(2, 4)
  .map((file) => JSON.parse(readFileSync(file, 'utf8')) as Seen);
if (first === undefined || second === undefined) throw new Error('usage: demo-report.ts FIRST SECOND');

function mutations({ api }: Seen): string {
  const paths = api.filter(({ method, path }) => method !== 'GET' && !path.includes('/operations/'));
  return paths
    .map(({ method, path }) => `${method} ${path.replace(/\?.*/, '').split('/').slice(-2).join('/')}`)
    .join(', ');
}

const rows = [
  ['', 'first run', 'second run'],
  ['seconds', first.seconds.toFixed(1), second.seconds.toFixed(1)],
  ['changed', String(first.outputs.changed), String(second.outputs.changed)],
  ['SSH connections', String(first.ssh.connections), String(second.ssh.connections)],
  ['remote commands', String(first.ssh.commands), String(second.ssh.commands)],
];
for (const row of rows)
  console.log(
    row
      .map((cell) => cell.padEnd(16))
      .join(' ')
      .trimEnd(),
  );
console.log(`\nCompute mutations of the second run, its own key and opening: ${mutations(second)}`);
console.log(`Pushed: ${second.outputs.image}`);
const greeting = second.later.output.split('\n').find((line) => line.startsWith('Hello'));
if (greeting === undefined) throw new Error('the pushed image did not greet');
console.log(`It was pulled back and run, and says: ${greeting}`);

const url = String(second.outputs['ui-url']);
const page = await (await fetch(url, { signal: AbortSignal.timeout(10_000) })).text();
const title = /<title>(.*?)<\/title>/s.exec(page)?.[1]?.trim();
console.log(
  `The web UI answers at ${url} ("${title}"): open it in a browser on this machine. \`bin/lab down\` ends the lab.`,
);
