/** A place in a generated file and the one that it was made from; lines and columns count from 0. */
export interface Mapping {
  readonly line: number;
  readonly column: number;
  readonly source: string;
  readonly sourceLine: number;
  readonly sourceColumn: number;
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The mappings of a source map (ECMA-426, "Mappings grammar"), in the order of the generated file. */
export function* mappingsOf(json: string): Generator<Mapping> {
  const map = JSON.parse(json) as { readonly sources: readonly string[]; readonly mappings: string };
  let [source, sourceLine, sourceColumn] = [0, 0, 0];
  for (const [line, segments] of map.mappings.split(';').entries()) {
    let column = 0;
    for (const segment of segments.split(',')) {
      const [byColumn = 0, bySource, byLine = 0, bySourceColumn = 0] = numbers(segment);
      column += byColumn;
      if (bySource === undefined) continue;
      source += bySource;
      sourceLine += byLine;
      sourceColumn += bySourceColumn;
      yield { line, column, source: map.sources[source] ?? '', sourceLine, sourceColumn };
    }
  }
}

/** Base64 VLQ: five bits a digit, the lowest first, a sixth says that more follow; the lowest bit of all is the sign. */
function numbers(segment: string): number[] {
  const found: number[] = [];
  let [value, shift] = [0, 0];
  for (const digit of segment) {
    const bits = DIGITS.indexOf(digit);
    value += (bits & 31) << shift;
    shift += 5;
    if (bits & 32) continue;
    found.push(value & 1 ? -(value >> 1) : value >> 1);
    [value, shift] = [0, 0];
  }
  return found;
}
