import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { ProcessMark } from '../job/process';
import { ActionError } from '../values/errors';
import { GO, TUNNEL_WORD, type TunnelAnswer, type TunnelOrder } from './order';

/** The process of a tunnel that listens, and ends with this one until it is told to go on. */
export interface StartedTunnel {
  /** On 127.0.0.1 of this machine. */
  readonly port: number;
  readonly process: ProcessMark;
  /** Lets it outlast this process. */
  go(): Promise<void>;
}

/** Starts the process of a tunnel. */
export type StartTunnel = (order: TunnelOrder) => Promise<StartedTunnel>;

/** The login has a minute and a half, as elsewhere. */
const READY_MS = 100_000;

/** It has a lot of garbage, all of it short-lived: collecting that with several threads takes a tenth more of the processor. */
const FLAGS = ['--single-threaded-gc'];

/** All that it sees of the environment: RUNNER_TRACKING_ID has it ended with the job, whatever else fails. */
const VARIABLES = ['RUNNER_TRACKING_ID', 'PATH', 'HOME', 'TMPDIR', 'SystemRoot', 'NODE_V8_COVERAGE'];

/**
 * Starts tunnels with the program that this process runs, which becomes one by a word behind its name.
 *
 * @param program its file
 */
export function tunnelStarter(program: string, env: NodeJS.ProcessEnv): StartTunnel {
  const own = Object.fromEntries(VARIABLES.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
  return async (order) => {
    const child = spawn(process.execPath, [...FLAGS, program, TUNNEL_WORD], {
      // In no directory that somebody wants to remove, and in no process group that somebody ends.
      cwd: '/',
      detached: true,
      windowsHide: true,
      env: own,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    try {
      return started(child, await answerOf(child, order));
    } catch (error) {
      child.kill('SIGKILL');
      release(child);
      throw error;
    }
  };
}

/** Writes the order, and returns what comes back. */
async function answerOf(child: ChildProcess, order: TunnelOrder): Promise<TunnelAnswer> {
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('A child process has no pipes');
  return new Promise((resolve) => {
    const fail = (message: string) => resolve({ kind: 'failed', message });
    const timer = setTimeout(() => fail(`it did not answer within ${READY_MS / 1000} s`), READY_MS);
    stdin.on('error', () => undefined);
    child.on('error', (error) => fail(error.message));
    child.on('exit', (status, signal) => fail(`its process ended with ${status ?? signal}`));
    createInterface({ input: stdout }).once('line', (line) => {
      clearTimeout(timer);
      resolve(JSON.parse(line) as TunnelAnswer);
    });
    stdin.write(`${JSON.stringify(order)}\n`);
  });
}

/** @throws ActionError `SSH forwarding is not allowed`, `Tunnel not opened` */
function started(child: ChildProcess, answer: TunnelAnswer): StartedTunnel {
  const doing = 'opening the tunnel to the registry (`route: ssh`)';
  if (answer.kind === 'prohibited') {
    throw new ActionError('SSH forwarding is not allowed', {
      doing,
      happened: 'sshd on the instance lets this login open no connection to the registry',
      next: 'Allow it in the configuration of sshd (`AllowTcpForwarding local`, no `DisableForwarding`, a `PermitOpen` that names 127.0.0.1 and the port; `sudo sshd -T -C user=USER` shows them, and an authorized key with `restrict` or `no-port-forwarding` forbids it as well), or use `route: direct`',
    });
  }
  if (answer.kind === 'failed') {
    throw new ActionError('Tunnel not opened', {
      doing,
      happened: answer.message,
      next: 'Mend what the message says, and run again, or use `route: direct`',
    });
  }
  return {
    port: answer.port,
    process: answer.process,
    async go() {
      await new Promise<void>((resolve) => child.stdin?.end(`${GO}\n`, () => resolve()));
      release(child);
    },
  };
}

/** Lets this process end without it. */
function release(child: ChildProcess): void {
  child.stdin?.destroy();
  child.stdout?.destroy();
  child.unref();
}
