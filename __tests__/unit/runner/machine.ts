import type { Exec, ExecResult } from '../../../src/job/exec';
import type { RunnerHost } from '../../../src/runner/host';
import { fingerprint } from '../../../src/runner/ledger';

/** A runner machine in memory: dockerd, its file, and what daemon-file.sh does to it. */
export class Machine implements RunnerHost {
  platform = 'linux';
  isRoot = false;
  parentPid = 77;
  dockerConfig = '/home/u/.docker';
  file: Buffer | null = null;
  ledger: Buffer | null = null;
  /** What dockerd has loaded. */
  loaded: readonly string[] = [];
  reloads = 0;
  restarts = 0;
  /** Whether a reload, and a restart, make dockerd take its file. */
  reloadWorks = true;
  restartStatus = 0;
  sudo = true;
  info: Record<string, unknown> = {};
  infoFails: string | null = null;
  endpoint = 'unix:///var/run/docker.sock';
  /** Called before each swap: somebody else who writes. */
  meanwhile: (() => void) | null = null;
  readonly commands: string[] = [];
  readonly texts = new Map([
    ['/run/docker.pid', '9'],
    ['/proc/9/comm', 'dockerd\n'],
    ['/proc/9/cmdline', '/usr/bin/dockerd\0-H\0fd://\0'],
    ['/proc/77/stat', `77 (Runner (x) y) S ${Array.from({ length: 40 }, (_, i) => i + 4).join(' ')}`],
  ]);
  readonly folders = new Map<string, string[]>([['/proc', ['9', '77', 'self']]]);

  read = async (path: string) => this.texts.get(path) ?? null;
  list = async (path: string) => {
    if (path === '/run/gce-registry-action')
      return this.ledger === null ? ['lock'] : ['lock', 'daemon-json.ledger'];
    return this.folders.get(path) ?? [];
  };

  exec: Exec = async (command, args, { stdin }) => {
    const words = [command, ...args];
    const script = words.indexOf('daemon-file.sh');
    this.commands.push(script < 0 ? words.join(' ') : words.slice(script).join(' '));
    if (script < 0) return command === 'docker' ? this.#docker(args) : failure(127);
    if (!this.isRoot && (!this.sudo || command !== 'sudo')) return failure(1, 'sudo: a password is required');
    const [verb, , , then] = words.slice(script + 1);
    if (verb === 'read') return success(`${encoded(this.file)}\n${encoded(this.ledger)}\ndirectory\n`);
    if (verb === 'swap') return this.#swap(String(stdin), then === 'reload');
    this.restarts++;
    if (this.restartStatus === 0) this.load();
    return failure(this.restartStatus);
  };

  /** dockerd reads its file: without the key it keeps what it has. */
  load(): void {
    const list = JSON.parse(this.file?.toString() || '{}')['insecure-registries'];
    if (list !== undefined) this.loaded = list;
  }

  #docker(args: readonly string[]): ExecResult {
    if (args[0] === 'context') return success(`${this.endpoint}\n`);
    if (this.infoFails !== null) return failure(1, this.infoFails);
    const indexes = Object.fromEntries(this.loaded.map((name) => [name, { Secure: false }]));
    const registries = { InsecureRegistryCIDRs: ['127.0.0.0/8'], IndexConfigs: indexes };
    return success(JSON.stringify({ ServerVersion: '28.0.4', RegistryConfig: registries, ...this.info }));
  }

  #swap(stdin: string, reload: boolean): ExecResult {
    const [file = '', ledger = '', newFile = '', newLedger = ''] = stdin.split('\n');
    this.meanwhile?.();
    if (file !== fingerprint(this.file) || ledger !== fingerprint(this.ledger)) return failure(10);
    this.file = decoded(newFile);
    this.ledger = decoded(newLedger);
    if (reload) this.reloads++;
    if (reload && this.reloadWorks) this.load();
    return success('');
  }
}

const encoded = (content: Buffer | null) => content?.toString('base64') ?? '-';
const decoded = (text: string) => (text === '-' ? null : Buffer.from(text, 'base64'));
const success = (stdout: string): ExecResult => ({ status: 0, signal: null, stdout, stderr: '' });
const failure = (status: number, stderr = ''): ExecResult => ({ status, signal: null, stdout: '', stderr });
