import { invalidField } from './errors.ts';
import { compileFilter } from './filter.ts';
import type { JsonObject } from './merge-patch.ts';

export interface Page {
  readonly items: readonly JsonObject[];
  readonly nextPageToken?: string;
}

const MOST = 500;

/**
 * Filters a list and cuts the page out that `maxResults` and `pageToken` ask for; the token carries the name of the
 * last item, so that a list that changes between two pages loses nothing.
 */
export function page(resources: readonly JsonObject[], query: URLSearchParams): Page {
  const matches = readFilter(query.get('filter'));
  const sorted = [...resources].sort((a, b) => order(nameOf(a), nameOf(b)));
  const after = readToken(query.get('pageToken'));
  const rest = sorted.filter((item) => matches(item) && (after === null || order(nameOf(item), after) > 0));
  const size = readMaxResults(query.get('maxResults'));
  const items = rest.slice(0, size);
  const last = items.at(-1);
  if (last === undefined || rest.length <= size) return { items };
  return { items, nextPageToken: tokenOf(last) };
}

/** The first page, with a token that leads to it again: what a broken server gives. */
export function repeatedPage(resources: readonly JsonObject[]): Page {
  return { items: resources, nextPageToken: tokenOf(resources.at(-1)) };
}

/** The body of a list answer; as Google, without `items` when there are none. */
export function listBody(
  kind: string,
  id: string,
  selfLink: string,
  { items, nextPageToken }: Page,
): JsonObject {
  return {
    kind,
    id,
    ...(items.length > 0 && { items }),
    ...(nextPageToken !== undefined && { nextPageToken }),
    selfLink,
  };
}

function readFilter(filter: string | null): (resource: JsonObject) => boolean {
  return filter === null || filter.trim() === '' ? () => true : compileFilter(filter);
}

function tokenOf(last: JsonObject | undefined): string {
  return Buffer.from(JSON.stringify({ after: nameOf(last ?? {}) })).toString('base64url');
}

const nameOf = (item: JsonObject): string => String(item.name);
const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function readMaxResults(value: string | null): number {
  if (value === null) return MOST;
  if (!/^\d+$/.test(value) || Number(value) > MOST) {
    throw invalidField('maxResults', value, `Values must be within the range: [0, ${MOST}]`);
  }
  return Number(value) || MOST;
}

function readToken(value: string | null): string | null {
  if (value === null || value === '') return null;
  try {
    return String((JSON.parse(Buffer.from(value, 'base64url').toString()) as { after: unknown }).after);
  } catch {
    throw invalidField('pageToken', value, 'Invalid pageToken.');
  }
}
