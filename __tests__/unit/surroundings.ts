import type { LocalCommands } from '../../src/job/exec';
import type { RunnerHost } from '../../src/runner/host';
import type { Surroundings } from '../../src/surroundings';
import { fakeLog } from './google/fakes';
import { FakeState } from './leases/example';

/** A job in memory: what the action did to it is in its fields. */
export class FakeJob implements Surroundings {
  readonly program = '/nowhere/index.js';
  readonly log = fakeLog();
  readonly state = new FakeState();
  readonly temporary = '/nowhere';
  readonly dockerConfig = '/home/ci/.docker';
  readonly exported: Record<string, string> = {};
  readonly variables = {
    get: (name: string) => this.env[name],
    set: (name: string, value: string) => {
      this.exported[name] = value;
    },
  };
  readonly outputs: Record<string, string> = {};
  readonly failures: string[] = [];
  readonly hosts: string[] = [];
  /** Names of the inputs that were read. */
  readonly read = new Set<string>();
  /** Environments that commands were run in. */
  readonly environments: NodeJS.ProcessEnv[] = [];
  summary = '';
  env: NodeJS.ProcessEnv = {};
  inputs: Record<string, string> = {};

  sleep = async () => undefined;
  input = (name: string) => {
    this.read.add(name);
    return this.inputs[name] ?? '';
  };
  output = (name: string, value: string) => {
    this.outputs[name] = value;
  };
  fail = (message: string) => void this.failures.push(message);
  summarise = async (markdown: string) => {
    this.summary += markdown;
  };
  commands = (env: NodeJS.ProcessEnv): LocalCommands => {
    this.environments.push(env);
    return {
      exec: async () => ({ status: 1, signal: null, stdout: '', stderr: 'No such image' }),
      end: async () => undefined,
    };
  };
  host = ({ exec }: LocalCommands, dockerConfig: string): RunnerHost => {
    this.hosts.push(dockerConfig);
    return {
      platform: 'linux',
      isRoot: true,
      parentPid: 1,
      dockerConfig,
      exec,
      read: async () => null,
      list: async () => [],
    };
  };
}
