import type { Exec, ExecResult } from '../../../src/job/exec';
import type { RunnerHost } from '../../../src/runner/host';
import { fingerprint } from '../../../src/runner/shared-use';

/** A runner machine in memory: dockerd, its file, and what daemon-file.sh does to it. */
export class Machine implements RunnerHost {
  platform = 'linux';
  isRoot = false;
  parentPid = 77;
  dockerConfig = '/home/u/.docker';
  file: Buffer | null = null;
  record: Buffer | null = null;
  /** What dockerd has loaded. */
  loaded: readonly string[] = [];
  reloads = 0;
  restarts = 0;
  /** Whether a reload, and a restart, make dockerd take its file. */
  reloadWorks = true;
  restartStatus = 0;
  startStatus = 0;
  starts: string[] = [];
  /** Further lines of `read`: an obstacle, a refusal. */
  findings: string[] = ['loaded'];
  /** Lines of `find`. */
  listeners = [`9 22 ${encode64('/usr/bin/dockerd\0-H\0fd://\0')} dockerd`, '1 5 aW5pdA== systemd'];
  /** Whether a signal reaches dockerd. */
  tellable = true;
  sudo = true;
  info: Record<string, unknown> = {};
  infoFails: string | null = null;
  infoHangs = false;
  endpoint = 'unix:///var/run/docker.sock';
  /** Called before each swap: somebody else who writes. */
  meanwhile: (() => void) | null = null;
  readonly commands: string[] = [];
  readonly texts = new Map([
    ['/proc/9/comm', 'dockerd\n'],
    ['/proc/9/stat', `9 (dockerd) S ${Array.from({ length: 40 }, (_, i) => i + 4).join(' ')}`],
    ['/proc/77/stat', `77 (Runner (x) y) S ${Array.from({ length: 40 }, (_, i) => i + 4).join(' ')}`],
  ]);
  readonly folders = new Map<string, string[]>([['/proc', ['9', '77', 'self']]]);

  read = async (path: string) => this.texts.get(path) ?? null;
  list = async (path: string) => {
    if (path === '/run/gce-registry-action') return this.record === null ? ['lock'] : ['lock', '0123.record'];
    return this.folders.get(path) ?? [];
  };

  exec: Exec = async (command, args, { stdin }) => {
    const words = [command, ...args];
    const script = words.indexOf('daemon-file.sh');
    this.commands.push(script < 0 ? words.join(' ') : words.slice(script).join(' '));
    if (script < 0) return command === 'docker' ? this.#docker(args) : failure(127);
    if (!this.isRoot && (!this.sudo || command !== 'sudo')) return failure(1, 'sudo: a password is required');
    const [verb, name, , , then] = words.slice(script + 1);
    switch (verb) {
      case 'find':
        return success(`${this.listeners.join('\n')}\n`);
      case 'read':
        return success(
          [
            `file ${encoded(this.file)}`,
            `record ${encoded(this.record)}`,
            ...['directory yes', ...this.findings, 'end', ''],
          ].join('\n'),
        );
      case 'swap':
        return this.#swap(String(stdin), then === 'reload');
      case 'start':
        this.starts.push(name ?? '');
        return failure(this.startStatus);
      default:
        this.restarts++;
        if (this.restartStatus === 0) this.load();
        return { ...failure(this.restartStatus), stdout: 'docker.service\n' };
    }
  };

  /** dockerd reads its file: without the key it keeps what it has. */
  load(): void {
    const list = JSON.parse(this.file?.toString() || '{}')['insecure-registries'];
    if (list !== undefined) this.loaded = list;
  }

  #docker(args: readonly string[]): ExecResult {
    if (args[0] === 'context') return success(`${this.endpoint}\n`);
    if (this.infoHangs) return { ...failure(0), status: null, signal: 'SIGTERM' };
    if (this.infoFails !== null) return failure(1, this.infoFails);
    const indexes = Object.fromEntries(this.loaded.map((name) => [name, { Secure: false }]));
    const registries = { InsecureRegistryCIDRs: ['127.0.0.0/8'], IndexConfigs: indexes };
    return success(JSON.stringify({ ServerVersion: '28.0.4', RegistryConfig: registries, ...this.info }));
  }

  #swap(stdin: string, reload: boolean): ExecResult {
    const [file = '', record = '', newFile = '', newRecord = ''] = stdin.split('\n');
    this.meanwhile?.();
    if (file !== fingerprint(this.file) || record !== fingerprint(this.record)) return failure(10);
    this.file = decoded(newFile);
    this.record = decoded(newRecord);
    if (reload) this.reloads++;
    if (reload && this.reloadWorks) this.load();
    return success(reload && this.tellable ? 'told\n' : '');
  }
}

export const encode64 = (text: string) => Buffer.from(text).toString('base64');
const encoded = (content: Buffer | null) => content?.toString('base64') ?? '-';
const decoded = (text: string) => (text === '-' ? null : Buffer.from(text, 'base64'));
const success = (stdout: string): ExecResult => ({ status: 0, signal: null, stdout, stderr: '' });
const failure = (status: number, stderr = ''): ExecResult => ({ status, signal: null, stdout: '', stderr });
