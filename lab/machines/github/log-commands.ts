/** An error, warning or notice as GitHub shows it on the summary page of a run. */
export interface Annotation {
  readonly level: 'error' | 'warning' | 'notice';
  readonly title?: string;
  readonly message: string;
}

/** What the runner knows; anything else that looks like a command is text (actions/runner, ActionCommandManager). */
const KNOWN = [
  ...['add-mask', 'add-matcher', 'add-path', 'debug', 'echo', 'endgroup', 'error', 'group', 'notice'],
  ...['remove-matcher', 'save-state', 'set-env', 'set-output', 'stop-commands', 'warning'],
];

interface Command {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly data: string;
}

/**
 * Interprets what a step prints as GitHub's runner does: workflow commands are carried out, secrets masked. Lines come
 * in one by one, and come out as they stand in a job's log (actions/runner, ActionCommandManager, SecretMasker).
 */
export class LogCommands {
  readonly annotations: Annotation[] = [];
  /** Outputs set by the deprecated `::set-output`, which the runner still obeys. */
  readonly outputs: Record<string, string> = {};
  /** State saved by the deprecated `::save-state`. */
  readonly state: Record<string, string> = {};
  private readonly secrets = new Set<string>();
  private readonly debug: boolean;
  private stopToken: string | null = null;

  constructor(debug: boolean) {
    this.debug = debug;
  }

  /** The line for the log; null when it shows nothing. */
  line(text: string): string | null {
    const command = parseCommand(text, this.stopToken === null ? KNOWN : [...KNOWN, this.stopToken]);
    if (this.stopToken !== null) {
      if (command?.name === this.stopToken) this.stopToken = null;
      return this.mask(text);
    }
    const shown = command === null ? text : this.obey(command, text);
    return shown === null ? null : this.mask(shown);
  }

  private obey({ name, properties, data }: Command, text: string): string | null {
    switch (name) {
      case 'add-mask':
        for (const secret of [data, ...data.split(/\r?\n/)]) this.addSecret(secret);
        return '::add-mask::***';
      case 'stop-commands':
        this.stopToken = data;
        return text;
      case 'error':
      case 'warning':
      case 'notice': {
        const title = properties.title;
        this.annotations.push({
          level: name,
          ...(title === undefined ? {} : { title: this.mask(title) }),
          message: this.mask(data),
        });
        return `##[${name}]${data}`;
      }
      case 'debug':
        return this.debug ? `##[debug]${data}` : null;
      case 'group':
      case 'endgroup':
        return `##[${name}]${data}`;
      case 'set-output':
        this.outputs[properties.name ?? ''] = data;
        return text;
      case 'save-state':
        this.state[properties.name ?? ''] = data;
        return text;
      case 'set-env':
      case 'add-path':
        // Without ACTIONS_ALLOW_UNSECURE_COMMANDS.
        this.annotations.push({
          level: 'error',
          message: `Unable to process command '${text}' successfully.`,
        });
        return text;
      default:
        return text;
    }
  }

  /** Also the forms in which a secret may turn up: in JSON, in a URL, in base64. */
  private addSecret(secret: string): void {
    if (secret.trim() === '') return;
    const base64 = Buffer.from(secret).toString('base64');
    for (const form of [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret), base64]) {
      this.secrets.add(form);
    }
  }

  private mask(text: string): string {
    const longestFirst = [...this.secrets].sort((a, b) => b.length - a.length);
    return longestFirst.reduce((masked, secret) => masked.replaceAll(secret, '***'), text);
  }
}

/**
 * `::name key=value,…::data` at the start of a line, or `##[name key=value;…]data` anywhere in it, where the name is
 * one of those that are known (ActionCommand.TryParseV2, then TryParse).
 */
function parseCommand(text: string, known: readonly string[]): Command | null {
  // .NET takes U+0085 for white space.
  const trimmed = text.replace(/^[\s\u0085]+/, '');
  const end = trimmed.indexOf('::', 2);
  const found = [
    ...(trimmed.startsWith('::') && end > 2
      ? [commandOf(trimmed.slice(2, end), ',', trimmed.slice(end + 2))]
      : []),
    ...[/##\[([^\]]+)\](.*)$/s.exec(text) ?? []].flatMap(([, head, data]) =>
      head === undefined ? [] : [commandOf(head, ';', data ?? '')],
    ),
  ];
  return found.find(({ name }) => known.includes(name)) ?? null;
}

function commandOf(head: string, separator: string, data: string): Command {
  const [name = '', ...rest] = head.trim().split(' ');
  const pairs = rest
    .join(' ')
    .split(separator)
    .map((pair) => [
      pair.slice(0, pair.indexOf('=')).trim(),
      unescapeProperty(pair.slice(pair.indexOf('=') + 1)),
    ]);
  return { name, properties: Object.fromEntries(pairs), data: unescapeData(data) };
}

function unescapeData(text: string): string {
  return text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
}

function unescapeProperty(text: string): string {
  return unescapeData(text.replaceAll('%3A', ':').replaceAll('%2C', ','));
}
