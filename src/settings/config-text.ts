import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  type Scalar,
} from 'yaml';
import { ActionError } from '../values/errors';
import { excerpt, show } from '../values/show';
import type { Given, Written } from './given';
import { nearest } from './nearest';
import { looksSecret } from './secret-text';
import { mayStandInConfig, NAMES, SECRETS, type SettingName, settingOf } from './table';

/**
 * Reads the text of a config file: YAML 1.2, one mapping of settings to values and lists of them. Values are taken as
 * they are written (`1.10` stays `1.10`). Aliases, merge keys and tags are refused, so a small file stays small.
 *
 * @param file its path, for errors
 * @throws ActionError `Invalid config file` or `Secret in the config file`, with line and column
 */
export function parseConfig(text: string, file: string): Map<SettingName, Given> {
  const reader = new ConfigText(text, file);
  return new Map(reader.pairs().map((pair) => reader.setting(pair)));
}

class ConfigText {
  private readonly text: string;
  private readonly file: string;
  private readonly lines = new LineCounter();
  private readonly seen = new Map<SettingName, string>();

  constructor(text: string, file: string) {
    this.text = text.replace(/^\ufeff/, '');
    this.file = file;
    this.refuseUnreadable();
  }

  /** The settings of the file; none in an empty one. */
  pairs(): Pair[] {
    const [document, second] = this.documents();
    if (second !== undefined) {
      this.refuse(second.range[0], 'here a second document begins', 'Keep all settings in one document');
    }
    const [problem] = [...(document?.errors ?? []), ...(document?.warnings ?? [])];
    if (problem !== undefined) {
      this.refuse(
        problem.pos[0],
        `it is not valid YAML: ${excerpt(problem.message, 200)}`,
        'Correct the file',
      );
    }
    const directives = document?.directives?.yaml;
    if (directives?.explicit === true && directives.version !== '1.2') {
      this.refuse(
        0,
        'it asks for an old version of YAML',
        'Remove the line %YAML; the file is read as YAML 1.2',
      );
    }
    const root = document?.contents ?? null;
    if (root === null || (isScalar(root) && root.value === null && root.source === '')) return [];
    if (!isMap(root)) this.refuse(start(root), 'it is no mapping of settings to values', KEY_VALUE);
    this.refuseTag(root);
    return root.items;
  }

  setting({ key, value }: Pair): [SettingName, Given] {
    if (!isScalar(key) || key.value === null) {
      return this.refuse(start(key), 'this is not the name of a setting', KEY_VALUE);
    }
    this.refuseTag(key);
    const name = this.name(key);
    const place = this.place(start(key));
    const before = this.seen.get(name);
    if (before !== undefined) {
      this.refuse(
        start(key),
        `\`${name}\` stands here a second time, after ${before}`,
        'Keep one of the two',
      );
    }
    this.seen.set(name, place);
    return [name, this.given(name, value ?? key, value === null)];
  }

  private name(key: Scalar): SettingName {
    const written = typeof key.value === 'string' ? key.value : (key.source ?? '');
    const name = NAMES.find((each) => each === written);
    if (name !== undefined && mayStandInConfig(name)) return name;
    if (name !== undefined && SECRETS.includes(name)) this.refuseSecret(start(key), `\`${name}\``);
    if (name !== undefined) {
      this.refuse(start(key), `\`${name}\` stands in the step alone`, 'Remove the line');
    }
    const near = nearest(written, NAMES);
    const next =
      written === '<<'
        ? 'Write the settings out; merge keys are not read'
        : `Use \`${near}\`, the nearest one that there is, or remove the line`;
    return this.refuse(start(key), `there is no setting ${show(written, 60)}`, next);
  }

  private given(name: SettingName, node: unknown, missing: boolean): Given {
    const { list } = settingOf(name);
    if (isSeq(node) && !missing) {
      if (list === undefined) {
        const next =
          name === 'image' ? 'Name one image; a second one is pushed by a second step' : 'Give one value';
        this.refuse(start(node), `\`${name}\` is a list`, next);
      }
      this.refuseTag(node);
      const items = node.items.map((item) => this.written(name, item, false));
      return { text: items.map(({ text }) => text).join(', '), place: this.settingPlace(name, node), items };
    }
    return this.written(name, node, missing);
  }

  private written(name: SettingName, node: unknown, missing: boolean): Written {
    if (!isScalar(node)) {
      const kind = isAlias(node) ? 'an alias, which is not read' : 'a mapping or a list';
      return this.refuse(
        start(node),
        `\`${name}\` has ${kind} where a value belongs`,
        'Write the value itself',
      );
    }
    this.refuseTag(node);
    const text = missing ? '' : this.textOf(name, node);
    if (text === '') {
      this.refuse(start(node), `\`${name}\` has no value`, 'Give it one, or remove the line');
    }
    if (looksSecret(text)) this.refuseSecret(start(node), `the value of \`${name}\``);
    return { text, place: this.settingPlace(name, node) };
  }

  private textOf(name: SettingName, node: Scalar): string {
    if (typeof node.value === 'string') return node.value.trim();
    if (node.value === null) return '';
    const isFlag = ['true', 'false'].includes(settingOf(name).default ?? '');
    if (typeof node.value === 'boolean' && !isFlag) {
      this.refuse(
        start(node),
        `\`${name}\` is true or false to YAML, and a text is needed`,
        'Put it in quotes',
      );
    }
    return node.source ?? '';
  }

  private documents() {
    try {
      // Keys are compared here, by name: the parser compares each with each.
      const options = { lineCounter: this.lines, uniqueKeys: false, prettyErrors: false } as const;
      return [...parseAllDocuments(this.text, { ...options, logLevel: 'silent' })];
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return this.refuse(0, 'it is nested too deeply', KEY_VALUE);
    }
  }

  private refuseUnreadable(): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
    if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(this.text)) {
      this.refuse(null, 'it holds control characters, so it is no text', 'Save it as text in UTF-8');
    }
    if (looksSecret(this.text)) this.refuseSecret(null, 'something in it');
  }

  /** Tags make values of other types, and the shape of a value is already said by its setting. */
  private refuseTag(node: Node): void {
    if ('tag' in node && node.tag !== undefined) {
      this.refuse(start(node), `there is the tag ${show(String(node.tag), 60)}`, 'Remove the tag');
    }
  }

  private refuseSecret(offset: number | null, what: string): never {
    throw new ActionError('Secret in the config file', {
      doing: `reading ${this.place(offset)}`,
      happened: `${what} is a secret, and everybody who can read the repository can read the file`,
      next: 'Remove it there, give it to the step as an input from `secrets`, and make a new one if it was ever pushed',
    });
  }

  private refuse(offset: number | null, happened: string, next: string): never {
    throw new ActionError('Invalid config file', { doing: `reading ${this.place(offset)}`, happened, next });
  }

  private settingPlace(name: SettingName, node: unknown): string {
    return `\`${name}\` in ${this.place(start(node))}`;
  }

  private place(offset: number | null): string {
    if (offset === null || offset > this.text.length) return this.file;
    const { line, col } = this.lines.linePos(offset);
    return line < 1 ? `${this.file}, line 1, column 1` : `${this.file}, line ${line}, column ${col}`;
  }
}

const KEY_VALUE = 'Write one `setting: value` a line, with the names of the inputs';

/** Where a node begins; 0 where the parser made it up. */
function start(node: unknown): number {
  const range = (node as Partial<Node> | null)?.range;
  return range?.[0] ?? 0;
}
