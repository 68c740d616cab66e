// Runs on the runner machine: starts dist/index.js again and again, next to an empty Node, and prints as JSON when.
// A run ends itself: the instance is not there, and `docker` is a stand-in that reports and fails.
//   ROUNDS=N LAB_ACCESS_TOKEN=… on-runner.ts FOLDER_OF_THE_CHECKOUT
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { parse } from 'yaml';

const checkout = String(process.argv[2]);
const folder = mkdtempSync('/tmp/bench-start-');

/** What one program measured, by round. */
export interface Starts {
  /** Seconds that an empty Node takes, from start to end. */
  readonly empty: number[];
  /** Seconds from start to the first call of Docker, in mode push where no Compute call is needed. */
  readonly push: number[];
  /** When runs began that ask Compute for an instance of the name `start-ROUND`, in milliseconds since 1970. */
  readonly began: number[];
}

function defaults(): Record<string, string> {
  const { inputs } = parse(readFileSync(join(checkout, 'action.yml'), 'utf8')) as {
    inputs: Record<string, { default?: string }>;
  };
  return Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input.default ?? '']));
}

/** Runs a script with these inputs, as GitHub's runner starts it. */
function start(args: readonly string[], inputs: Readonly<Record<string, string>>): Promise<void> {
  const variables = Object.entries({ ...defaults(), ...inputs });
  const files = ['GITHUB_OUTPUT', 'GITHUB_STATE', 'GITHUB_STEP_SUMMARY'].map((name) => [
    name,
    join(folder, name),
  ]);
  for (const [, file] of files) writeFileSync(String(file), '');
  const env = {
    ...process.env,
    ...Object.fromEntries(files),
    PATH: `${folder}:${process.env.PATH}`,
    ...Object.fromEntries(variables.map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
  };
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, args, { env, stdio: 'ignore' });
    child.on('error', fail);
    child.on('close', () => done());
  });
}

function listening(server: Server): Promise<number> {
  return new Promise((done) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      done(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

const starts: Starts = { empty: [], push: [], began: [] };
let connected: (() => void) | null = null;
const server = createServer((socket) => {
  connected?.();
  connected = null;
  socket.on('error', () => undefined).destroy();
});
const port = await listening(server);
writeFileSync(join(folder, 'docker'), `#!/bin/bash\n: >/dev/tcp/127.0.0.1/${port}\nexit 1\n`, {
  mode: 0o755,
});
const script = [join(checkout, 'dist/index.js')];
const basics = { instance: 'start', zone: 'europe-west1-b', image: 'hello-world', tags: 'test' };
const noCompute = {
  ...basics,
  ...{ mode: 'push', 'source-ranges': '192.0.2.0/24', 'registry-host': '192.0.2.1' },
};
const compute = {
  ...basics,
  'project-id': 'lab-project',
  'access-token': process.env.LAB_ACCESS_TOKEN ?? '',
};

for (let round = 0; round < Number(process.env.ROUNDS); round += 1) {
  let begin = performance.now();
  await start(['--eval', '0'], {});
  starts.empty.push((performance.now() - begin) / 1000);

  begin = performance.now();
  connected = () => starts.push.push((performance.now() - begin) / 1000);
  await start(script, noCompute);

  starts.began.push(Date.now());
  await start(script, { ...compute, instance: `start-${round}` });
}
server.close();
rmSync(folder, { recursive: true });
process.stdout.write(JSON.stringify(starts));
