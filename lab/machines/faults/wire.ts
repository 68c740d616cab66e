import { instanceNumber } from '../instance.ts';
import { externalIp } from '../network.ts';
import { attempt, docker, eventually, LabError } from '../process.ts';
import { LIES } from '../relay/faults.ts';
import { ACTION_FOLDER, RUNNER } from '../runner.ts';
import type { Fault } from './types.ts';

/**
 * Faults of the wire between the runner and one instance. They are those of a relay on the runner (../relay), which
 * stands there for as long as one of them is on. It is in the way of SSH (port 22) and of the registry (port 5000).
 */
export const WIRE_FAULTS: Readonly<Record<string, Fault>> = Object.fromEntries(
  (
    [
      ['ssh-drop', 'BYTES', 'the next SSH connection is reset after BYTES of both ways, once'],
      ['ssh-drop-always', 'BYTES', 'every SSH connection is'],
      ['slow-network', 'MS', 'every byte takes MS more, either way'],
      ['registry-502', 'N', 'the next N requests to the registry are answered with 502'],
      ['registry-reset', 'BYTES', 'every connection to the registry is reset after BYTES'],
      ['registry-lies', 'KIND', LIES.join(', ')],
    ] as const
  ).map(([name, usage, what]) => [
    name,
    {
      usage,
      what,
      async start([value], instance) {
        const relay = relayOf(instance);
        if (!(await answers(relay))) await startRelay(relay);
        const { status, stdout } = await ask(relay, 'PUT', `/${name}?${encodeURIComponent(value ?? '')}`);
        if (status !== 0) throw new LabError(`${name}: ${stdout.trim() || 'the relay does not answer'}`);
      },
      async end(instance) {
        await ask(relayOf(instance), 'PUT', `/${name}?off`);
      },
    } satisfies Fault,
  ]),
);

interface Relay {
  readonly unit: string;
  readonly address: string;
  /** Local ports by port of the instance. */
  readonly ports: Readonly<Record<22 | 5000, number>>;
  readonly elsewhere: number;
}

function relayOf(instance: string): Relay {
  const number = instanceNumber(instance);
  return {
    unit: `gcelab-relay-${instance}`,
    address: externalIp(number),
    ports: { 22: 22_000 + number, 5000: 25_000 + number },
    elsewhere: 26_000 + number,
  };
}

/** In group daemon, by which its own connections are told from those that it relays. */
async function startRelay(relay: Relay): Promise<void> {
  const { unit, address, ports, elsewhere } = relay;
  const folder = `${ACTION_FOLDER}/lab/machines/relay`;
  const rules = Object.entries(ports).map(([port, to]) => `${address} ${port} ${to}`);
  await docker([
    ...['exec', RUNNER, 'systemd-run', '--quiet', '--collect', `--unit=${unit}`],
    ...['--property=User=root', '--property=Group=daemon', `--property=RuntimeDirectory=${unit}`],
    ...rules.map((rule) => `--property=ExecStopPost=${folder}/redirect down ${rule}`),
    ...['node', `${folder}/main.ts`, address, String(ports[22]), String(ports[5000])],
    ...[String(elsewhere), `/run/${unit}`],
  ]);
  if (!(await eventually(() => answers(relay), 20_000))) {
    throw new LabError(
      `The relay of ${address} did not start: journalctl -u ${unit} on the runner says why.`,
    );
  }
  for (const rule of rules) await docker(['exec', RUNNER, `${folder}/redirect`, 'up', ...rule.split(' ')]);
}

async function answers(relay: Relay): Promise<boolean> {
  return (await ask(relay, 'GET', '/')).status === 0;
}

function ask({ unit }: Relay, method: string, path: string) {
  const curl = ['curl', '-sS', '--fail-with-body', '-m', '5', '-X', method];
  return attempt('docker', [
    ...['exec', RUNNER, ...curl, '--unix-socket', `/run/${unit}/control.sock`, `http://relay${path}`],
  ]);
}
