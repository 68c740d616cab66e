import { median, ratio, type Samples } from './measure.ts';

/** One line of the result. */
export interface Row {
  readonly what: string;
  readonly ours: string;
  /** What was measured beside it. */
  readonly other: string;
  readonly ratio: string;
  readonly target: string;
  /** Null where there is no target. */
  readonly met: boolean | null;
}

/** A limit for what is measured; `Number.POSITIVE_INFINITY` for none. */
export interface Limits {
  /** Of our own value, in seconds. */
  readonly most?: number;
  /** Of our value divided by the other's. */
  readonly mostRatio?: number;
  /** Of the other's value divided by ours. */
  readonly timesFaster?: number;
}

/** A row for two sides that were measured in the same rounds, in seconds. */
export function comparison(
  what: string,
  ours: Samples,
  other: { readonly name: string; readonly samples: Samples },
  limits: Limits = {},
): Row {
  const { most, mostRatio, timesFaster } = limits;
  const slower = ratio(ours, other.samples);
  const faster = ratio(other.samples, ours);
  const targets = [
    ...(most === undefined ? [] : [{ text: `≤ ${seconds(most)}`, met: median(ours) <= most }]),
    ...(mostRatio === undefined ? [] : [{ text: `≤ ${mostRatio}`, met: slower <= mostRatio }]),
    ...(timesFaster === undefined ? [] : [{ text: `≥ ${timesFaster}× faster`, met: faster >= timesFaster }]),
  ];
  return {
    what,
    ours: spread(ours),
    other: `${spread(other.samples)} ${other.name}`,
    ratio: faster >= 1.5 ? `${faster.toFixed(1)}× faster` : slower.toFixed(2),
    target: targets.map(({ text }) => text).join(', '),
    met: targets.length === 0 ? null : targets.every(({ met }) => met),
  };
}

/** A row for a value that has a limit and nothing beside it. */
export function limit(what: string, value: number, most: number, show: (value: number) => string): Row {
  return { what, ours: show(value), other: '', ratio: '', target: `≤ ${show(most)}`, met: value <= most };
}

/** Prints the rows as a Markdown table that is also readable as it is. */
export function render(rows: readonly Row[]): string {
  const head = ['', 'this action', 'beside it', 'ratio', 'target', ''];
  const cells = rows.map(({ what, ours, other, ratio, target, met }) => [
    ...[what, ours, other, ratio, target],
    met === null ? '' : met ? 'met' : 'MISSED',
  ]);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...cells.map((line) => line[column]?.length ?? 0)),
  );
  const line = (texts: readonly string[]) =>
    `| ${texts.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [line(head), rule, ...cells.map(line)].map((text) => `${text}\n`).join('');
}

/** The median, with the least and the most beside it. */
function spread(samples: Samples): string {
  const middle = seconds(median(samples));
  if (samples.length === 1) return middle;
  return `${middle} (${seconds(Math.min(...samples))}–${seconds(Math.max(...samples))})`;
}

function seconds(value: number): string {
  if (value < 1) return `${Math.round(value * 1000)} ms`;
  return `${value.toFixed(value < 10 ? 2 : 1)} s`;
}
