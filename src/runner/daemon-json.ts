import {
  applyEdits,
  type FormattingOptions,
  modify,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';
import { show } from '../values/show';

/** The key of dockerd's configuration file: registries that may be spoken to over HTTP, as `host:port`. */
const KEY = 'insecure-registries';
const BOM = '\ufeff';

/** What is wrong with a daemon.json: a clause such as `line 3, column 5: PropertyNameExpected`. */
export class BrokenDaemonJson extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'BrokenDaemonJson';
  }
}

/**
 * The insecure registries that a daemon.json lists; null when it has no such key. An absent, empty or blank file has
 * none, as dockerd sees it (moby, daemon/config/config.go: getConflictFreeConfiguration).
 *
 * @throws BrokenDaemonJson for all that dockerd would refuse: comments, trailing commas, a list that is none
 */
export function insecureRegistries(bytes: Buffer | null): readonly string[] | null {
  const json = parse(decode(bytes));
  const list = json[KEY];
  if (list === undefined) return null;
  if (list === null) return [];
  if (!Array.isArray(list)) throw new BrokenDaemonJson(`"${KEY}" is no list`);
  const wrong = list.find((entry) => typeof entry !== 'string');
  if (wrong !== undefined)
    throw new BrokenDaemonJson(`"${KEY}" holds ${show(JSON.stringify(wrong))}, which is no text`);
  return list as string[];
}

/**
 * Adds entries to the insecure registries; everything else stays as it is, formatting included. The same bytes when
 * nothing is missing.
 *
 * @throws BrokenDaemonJson
 */
export function mergeEntries(bytes: Buffer | null, entries: readonly string[]): Buffer | null {
  const list = insecureRegistries(bytes) ?? [];
  const missing = [...new Set(entries)].filter((entry) => !list.includes(entry));
  if (missing.length === 0) return bytes;
  if (isBlank(bytes)) return encode(`${JSON.stringify({ [KEY]: missing }, null, 2)}\n`, bytes);
  return edit(bytes, (text, options) => {
    if (!Array.isArray(parse(text)[KEY])) return applyEdits(text, modify(text, [KEY], missing, options));
    return missing.reduce((now, entry) => {
      const end = (parse(now)[KEY] as unknown[]).length;
      return applyEdits(now, modify(now, [KEY, end], entry, { ...options, isArrayInsertion: true }));
    }, text);
  });
}

/**
 * Takes entries out of the insecure registries; everything else stays as it is. A list that is empty then stays, as
 * `[]`, unless `dropEmpty`.
 *
 * @throws BrokenDaemonJson
 */
export function removeEntries(
  bytes: Buffer | null,
  entries: readonly string[],
  dropEmpty = false,
): Buffer | null {
  const list = insecureRegistries(bytes) ?? [];
  if (!list.some((entry) => entries.includes(entry))) return bytes;
  // Without formatting options the rest of the file keeps its form, even where it is all on one line.
  return edit(bytes, (text) => {
    let now = text;
    for (let index = list.length - 1; index >= 0; index--) {
      if (entries.includes(list[index] ?? ''))
        now = applyEdits(now, modify(now, [KEY, index], undefined, {}));
    }
    const empty = (parse(now)[KEY] as unknown[]).length === 0;
    return empty && dropEmpty ? applyEdits(now, modify(now, [KEY], undefined, {})) : now;
  });
}

/**
 * The same configuration with a list in place of no list: dockerd keeps what it has loaded when the key is gone, and
 * forgets what is not in a list that it loads.
 *
 * @throws BrokenDaemonJson
 */
export function withList(bytes: Buffer | null, entries: readonly string[]): Buffer {
  if (bytes === null || isBlank(bytes)) return encode(`${JSON.stringify({ [KEY]: entries })}\n`, bytes);
  return edit(bytes, (text, options) => applyEdits(text, modify(text, [KEY], entries, options)));
}

/** Whether a daemon.json names mirrors of Docker Hub. False for one that cannot be read. */
export function hasMirrors(bytes: Buffer | null): boolean {
  try {
    const mirrors = parse(decode(bytes))['registry-mirrors'];
    return Array.isArray(mirrors) && mirrors.length > 0;
  } catch {
    return false;
  }
}

/** Whether a daemon.json says where the daemon listens, which it must not say beside flags that do. */
export function hasHosts(bytes: Buffer | null): boolean {
  return parse(decode(bytes)).hosts !== undefined;
}

function edit(
  bytes: Buffer | null,
  change: (text: string, options: { formattingOptions: FormattingOptions }) => string,
): Buffer {
  const text = decode(bytes);
  return encode(change(text, { formattingOptions: formattingOf(text) }), bytes);
}

/** How the file is indented and ended, so that what is added looks like the rest. */
function formattingOf(text: string): FormattingOptions {
  const indent = /\n([ \t]+)\S/.exec(text)?.[1] ?? '  ';
  return {
    insertSpaces: !indent.startsWith('\t'),
    tabSize: indent.startsWith('\t') ? 1 : indent.length,
    eol: text.includes('\r\n') ? '\r\n' : '\n',
  };
}

/** The text without a byte order mark, which dockerd ≥ 23 skips. */
function decode(bytes: Buffer | null): string {
  if (bytes === null) return '';
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new BrokenDaemonJson('it is not UTF-8');
  }
  return text.startsWith(BOM) ? text.slice(1) : text;
}

function encode(text: string, before: Buffer | null): Buffer {
  const marked = before?.toString('utf8').startsWith(BOM) ?? false;
  return Buffer.from(marked ? BOM + text : text);
}

function isBlank(bytes: Buffer | null): boolean {
  return decode(bytes).trim() === '';
}

function parse(text: string): Record<string, unknown> {
  if (text.trim() === '') return {};
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
  const [first] = errors;
  if (first !== undefined)
    throw new BrokenDaemonJson(`${place(text, first.offset)}: ${wording(first, text)}`);
  let json: unknown;
  try {
    // The last word: jsonc-parser lets some things pass that JSON does not have.
    json = JSON.parse(text);
  } catch (error) {
    throw new BrokenDaemonJson(show((error as Error).message, 200));
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new BrokenDaemonJson('it holds no JSON object');
  }
  const keys = tree?.children?.filter((property) => property.children?.[0]?.value === KEY) ?? [];
  const second = keys[1];
  if (second !== undefined)
    throw new BrokenDaemonJson(`${place(text, second.offset)}: "${KEY}" appears twice`);
  return json as Record<string, unknown>;
}

function place(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
}

function wording(error: ParseError, text: string): string {
  const code = printParseErrorCode(error.error);
  if (code === 'InvalidCommentToken') return 'dockerd allows no comments';
  const words = code.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  return `${words}, near ${show(text.slice(error.offset, error.offset + 20), 20)}`;
}
