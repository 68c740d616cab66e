import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfigFile } from '../../../src/settings/config-file';
import { readSettings } from '../../../src/settings/read';

let top: string;
let workspace: string;

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'config-'));
  workspace = join(top, 'workspace');
  mkdirSync(join(workspace, '.github'), { recursive: true });
  writeFileSync(join(top, 'outside.yml'), 'zone: outside\n');
  writeFileSync(join(workspace, '.github/registry.yml'), 'zone: a\ninstance: web-1\nregistry-port: 5001\n');
});

afterEach(() => rmSync(top, { recursive: true }));

test('a file of the workspace is read, and an input of the step wins', () => {
  const inputs: Record<string, string> = { config: '.github/registry.yml', mode: 'bootstrap', zone: 'b' };
  const settings = readSettings((name) => inputs[name] ?? '', workspace);
  expect(settings.vm).toEqual({ project: null, zone: 'b', instance: 'web-1' });
  expect(settings.registry.port).toBe(5001);
});

test('links inside the workspace are followed, and the workspace may be one itself', () => {
  symlinkSync('.github/registry.yml', join(workspace, 'link.yml'));
  symlinkSync(workspace, join(top, 'link'));
  expect(readConfigFile('link.yml', join(top, 'link'))).toContain('zone: a');
});

test.each(['missing.yml', '.github/registry.yaml', '.github/registry.yml/x'])('%s is not there', (path) => {
  expect(() => readConfigFile(path, workspace)).toThrow(
    `No such config file: reading "${path}": there is no such file in the workspace. Check the path, and that actions/checkout runs before this step.`,
  );
});

test.each(['../outside.yml', '/etc/passwd', '.github/../../outside.yml', '.', '..', 'a\0b'])(
  '%j is no path inside the workspace',
  (path) => {
    expect(() => readConfigFile(path, workspace)).toThrow('this is no path inside the workspace');
  },
);

test('a link that leads out is not followed, of the file or of a folder', () => {
  symlinkSync('../outside.yml', join(workspace, 'link.yml'));
  symlinkSync('..', join(workspace, 'up'));
  symlinkSync('/dev/zero', join(workspace, 'zero.yml'));
  for (const path of ['link.yml', 'up/outside.yml', 'zero.yml']) {
    expect(() => readConfigFile(path, workspace)).toThrow('a link leads out of the workspace');
  }
});

test('what is no regular file is not waited for', () => {
  execFileSync('mkfifo', [join(workspace, 'pipe.yml')]);
  for (const path of ['pipe.yml', '.github']) {
    expect(() => readConfigFile(path, workspace)).toThrow('this is no file that can be read');
  }
});

test('a loop of links is an error', () => {
  symlinkSync('loop.yml', join(workspace, 'loop.yml'));
  expect(() => readConfigFile('loop.yml', workspace)).toThrow('No such config file');
});

test.each([
  ['a megabyte', Buffer.alloc(1_000_000, 'a: b\n'), 'it has more than 32768 bytes'],
  ['UTF-16', Buffer.from('\ufeffzone: a\n', 'utf16le'), 'it is no text in UTF-8'],
  ['Latin-1', Buffer.from('zone: \xe4', 'latin1'), 'it is no text in UTF-8'],
])('%s is refused', (_, bytes, message) => {
  writeFileSync(join(workspace, 'file.yml'), bytes);
  expect(() => readConfigFile('file.yml', workspace)).toThrow(message);
});

test('without a workspace there is no file', () => {
  expect(() => readConfigFile('registry.yml', undefined)).toThrow('GITHUB_WORKSPACE');
});
