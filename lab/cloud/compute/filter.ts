import { invalid } from './errors.ts';
import { isObject, type JsonObject } from './merge-patch.ts';

type Predicate = (resource: JsonObject) => boolean;

/**
 * Compiles a list filter: `name = x`, `!=`, `:` (has), `eq` and `ne` (whole-value regular expressions), AND, OR,
 * NOT, `-`, parentheses; terms side by side are joined by AND.
 * https://cloud.google.com/compute/docs/reference/rest/v1/firewalls/list#body.QUERY_PARAMETERS.filter
 *
 * Throws the API's 400 for anything else.
 */
export function compileFilter(filter: string): Predicate {
  const parser = new Parser(filter);
  const predicate = parser.parse();
  return predicate;
}

const TOKEN = /\s*(?:("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(!=|[=:()])|(-(?=[\w(]))|([^\s()=:!"']+))/y;

interface Token {
  readonly kind: 'quoted' | 'symbol' | 'word';
  readonly text: string;
}

class Parser {
  private readonly filter: string;
  private readonly tokens: Token[];
  private position = 0;

  constructor(filter: string) {
    this.filter = filter;
    this.tokens = this.scan();
  }

  parse(): Predicate {
    const predicate = this.disjunction();
    if (this.position < this.tokens.length) throw this.error();
    return predicate;
  }

  private scan(): Token[] {
    const tokens: Token[] = [];
    const text = this.filter.trimEnd();
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < text.length) {
      const match = TOKEN.exec(text);
      if (!match) throw this.error();
      const [, quoted, symbol, minus, word] = match;
      if (quoted !== undefined)
        tokens.push({ kind: 'quoted', text: quoted.slice(1, -1).replace(/\\(["'\\])/g, '$1') });
      else if (word !== undefined) tokens.push({ kind: 'word', text: word });
      else tokens.push({ kind: 'symbol', text: symbol ?? minus ?? '' });
    }
    return tokens;
  }

  private disjunction(): Predicate {
    const parts = [this.conjunction()];
    while (this.takeWord('OR')) parts.push(this.conjunction());
    return (resource) => parts.some((part) => part(resource));
  }

  private conjunction(): Predicate {
    const parts = [this.negation()];
    while (this.takeWord('AND') || this.startsTerm()) parts.push(this.negation());
    return (resource) => parts.every((part) => part(resource));
  }

  private negation(): Predicate {
    if (this.takeWord('NOT') || this.takeSymbol('-')) {
      const inner = this.negation();
      return (resource) => !inner(resource);
    }
    if (this.takeSymbol('(')) {
      const inner = this.disjunction();
      if (!this.takeSymbol(')')) throw this.error();
      return inner;
    }
    return this.comparison();
  }

  private comparison(): Predicate {
    const field = this.take('word').split('.');
    const operator = this.takeOperator();
    const value = this.takeValue();
    const test = operatorTest(operator, value, () => this.error());
    return (resource) => test(valuesAt(resource, field));
  }

  private startsTerm(): boolean {
    const token = this.tokens[this.position];
    if (token === undefined) return false;
    return token.kind === 'word'
      ? token.text !== 'OR' && token.text !== 'AND'
      : token.text === '(' || token.text === '-';
  }

  private takeOperator(): string {
    const token = this.tokens[this.position++];
    if (token?.kind === 'symbol' && ['=', '!=', ':'].includes(token.text)) return token.text;
    if (token?.kind === 'word' && ['eq', 'ne'].includes(token.text)) return token.text;
    throw this.error();
  }

  private takeValue(): string {
    const token = this.tokens[this.position++];
    if (token === undefined || token.kind === 'symbol') throw this.error();
    let value = token.text;
    while (token.kind === 'word' && this.takeSymbol(':')) value += `:${this.take('word')}`;
    return value;
  }

  private take(kind: Token['kind']): string {
    const token = this.tokens[this.position++];
    if (token?.kind !== kind) throw this.error();
    return token.text;
  }

  private takeWord(text: string): boolean {
    return this.takeToken('word', text);
  }

  private takeSymbol(text: string): boolean {
    return this.takeToken('symbol', text);
  }

  private takeToken(kind: Token['kind'], text: string): boolean {
    const token = this.tokens[this.position];
    if (token?.kind !== kind || token.text !== text) return false;
    this.position++;
    return true;
  }

  private error(): Error {
    return invalid(`Invalid value for field 'filter': '${this.filter}'. Invalid list filter expression.`);
  }
}

/** Every value that a dotted path leads to, through lists. */
function valuesAt(resource: unknown, path: readonly string[]): string[] {
  if (Array.isArray(resource)) return resource.flatMap((item) => valuesAt(item, path));
  const [head, ...rest] = path;
  if (head === undefined) return resource === undefined ? [] : [String(resource)];
  return isObject(resource) ? valuesAt(resource[head], rest) : [];
}

function operatorTest(
  operator: string,
  value: string,
  error: () => Error,
): (values: readonly string[]) => boolean {
  if (operator === ':') {
    const wanted = value.toLowerCase();
    return (values) =>
      values.some((item) => wanted === '*' || item.toLowerCase().includes(wanted.replace(/\*$/, '')));
  }
  const pattern = operator === '=' || operator === '!=' ? globPattern(value) : regexPattern(value, error);
  const matches = (values: readonly string[]): boolean => values.some((item) => pattern.test(item));
  return operator === '!=' || operator === 'ne' ? (values) => !matches(values) : matches;
}

/** `*` stands for anything, as in `name = registry-*`. */
function globPattern(value: string): RegExp {
  const escaped = value.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${escaped.join('.*')}$`, 's');
}

/** `eq` and `ne` take a regular expression that must match the whole value. */
function regexPattern(value: string, error: () => Error): RegExp {
  try {
    return new RegExp(`^(?:${value})$`, 's');
  } catch {
    throw error();
  }
}
