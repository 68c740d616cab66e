/** An entry of apt's sources: https://manpages.debian.org/stable/apt/sources.list.5.en.html */
export interface AptEntry {
  /** The file that it stands in. */
  readonly file: string;
  /** Lines that it takes, from the first up to before the last. */
  readonly lines: readonly [number, number];
  readonly enabled: boolean;
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** Empty: all of the machine. */
  readonly architectures: readonly string[];
  /** Files with keys. */
  readonly keys: readonly string[];
  /** A key stands in the entry itself. */
  readonly inlineKey: boolean;
  /** apt takes its packages without a signature. */
  readonly trusted: boolean;
}

/** The entries for packages (not for their sources) of a file of apt, by the form that its name says it has. */
export function parseAptSources(file: string, text: string): AptEntry[] {
  return file.endsWith('.sources') ? parseStanzas(file, text) : parseLines(file, text);
}

/** `deb [option=value …] URI SUITE COMPONENT …`, one a line. */
function parseLines(file: string, text: string): AptEntry[] {
  return text.split('\n').flatMap((line, index): AptEntry[] => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line);
    if (match === null) return [];
    const [, options = '', uri = '', suite = '', components = ''] = match;
    const values = new Map(
      words(options).map((option): [string, string] => {
        const [name = '', value = ''] = option.split(/[+-]?=(.*)/);
        return [name.toLowerCase(), value];
      }),
    );
    const signedBy = (values.get('signed-by') ?? '').split(',').filter((key) => key !== '');
    return [
      {
        file,
        lines: [index, index + 1],
        enabled: true,
        uris: [uri],
        suites: [suite],
        components: words(components),
        architectures: (values.get('arch') ?? '').split(',').filter((arch) => arch !== ''),
        keys: signedBy.filter((key) => key.startsWith('/')),
        inlineKey: false,
        trusted: isYes(values.get('trusted')),
      },
    ];
  });
}

/** Paragraphs of fields, as in deb822(5). */
function parseStanzas(file: string, text: string): AptEntry[] {
  const entries: AptEntry[] = [];
  const lines = text.split('\n');
  let first = 0;
  lines.forEach((line, index) => {
    const last = index === lines.length - 1;
    if (line.trim() !== '' && !last) return;
    const end = line.trim() === '' ? index : index + 1;
    const entry = parseStanza(file, lines.slice(first, end), [first, end]);
    if (entry !== null) entries.push(entry);
    first = index + 1;
  });
  return entries;
}

function parseStanza(file: string, paragraph: readonly string[], lines: [number, number]): AptEntry | null {
  const fields = new Map<string, string>();
  let current = '';
  for (const line of paragraph) {
    if (line.startsWith('#')) continue;
    const match = /^([A-Za-z0-9-]+):(.*)$/.exec(line);
    if (match !== null) current = String(match[1]).toLowerCase();
    const value = match === null ? line : String(match[2]);
    if (current !== '') fields.set(current, `${fields.get(current) ?? ''}\n${value}`);
  }
  const list = (name: string) => words(fields.get(name) ?? '');
  if (!list('types').includes('deb')) return null;
  const signedBy = fields.get('signed-by') ?? '';
  const inlineKey = signedBy.includes('-----BEGIN PGP PUBLIC KEY BLOCK-----');
  return {
    file,
    lines,
    enabled: !/^(no|false|without|off|disable|0)$/i.test((fields.get('enabled') ?? '').trim()),
    uris: list('uris'),
    suites: list('suites'),
    components: list('components'),
    architectures: list('architectures'),
    keys: inlineKey ? [] : list('signed-by').filter((key) => key.startsWith('/')),
    inlineKey,
    trusted: isYes(fields.get('trusted')),
  };
}

/**
 * The text of a file without some of its entries, which stay as comments; null when nothing else would be left in it.
 */
export function withoutEntries(text: string, entries: readonly AptEntry[], reason: string): string | null {
  const isGone = (index: number) => entries.some(({ lines: [first, end] }) => index >= first && index < end);
  const lines = text.split('\n');
  const rest = lines.filter((line, index) => !isGone(index) && !/^\s*(#|$)/.test(line));
  if (rest.length === 0) return null;
  return lines
    .map((line, index) => (isGone(index) && !line.startsWith('#') ? `# ${reason}: ${line}` : line))
    .join('\n');
}

function isYes(value: string | undefined): boolean {
  return /^(yes|true|with|on|enable|1)$/i.test((value ?? '').trim());
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
