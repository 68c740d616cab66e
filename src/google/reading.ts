import { type ApiError, readApiError } from './api-error';
import { type Call, explain, unexpectedAnswer } from './failures';
import { type Retrying, retrying } from './retries';

/** Options of one try; timeouts in milliseconds. Made anew for each call, because the client writes into them. */
export const read = () => ({ timeout: 30_000, retry: null });
export const write = () => ({ timeout: 60_000, retry: null });
export const wait = (timeout: number) => ({ timeout, retry: null });

/** Largest page that Compute gives. */
const PAGE = 500;
const MOST_PAGES = 100;

/** Makes a call that changes nothing, again after what passes; null for an error that is `absent`. */
export async function reading<T>(
  call: Call,
  work: () => Promise<T>,
  context: Retrying,
  absent: (error: ApiError) => boolean = () => false,
): Promise<T | null> {
  try {
    return await retrying(call.doing, work, context);
  } catch (thrown) {
    if (absent(readApiError(thrown))) return null;
    throw explain(thrown, call);
  }
}

/** All pages of a list. */
export async function pages<T>(
  call: Call,
  page: (request: {
    maxResults: number;
    pageToken?: string;
  }) => Promise<[T[], { pageToken?: string } | null, ...unknown[]]>,
  context: Retrying,
): Promise<T[]> {
  const items: T[] = [];
  const seen = new Set<string>();
  for (let pageToken = ''; ; ) {
    const request = { maxResults: PAGE, ...(pageToken ? { pageToken } : {}) };
    const answer = await reading(call, () => page(request), context);
    const [found, next] = answer ?? [[], null];
    items.push(...found);
    pageToken = next?.pageToken ?? '';
    if (!pageToken) return items;
    if (seen.has(pageToken) || seen.size >= MOST_PAGES)
      throw unexpectedAnswer(call.doing, 'the list has no end');
    seen.add(pageToken);
  }
}
