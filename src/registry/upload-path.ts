import { type Endpoint, urlOf } from './endpoint';

/** The path of an upload's Location; null when it leads away from this registry or repository. */
export function uploadPath(
  location: string | undefined,
  endpoint: Endpoint,
  repository: string,
): string | null {
  const base = urlOf(endpoint);
  if (location === undefined || !URL.canParse(location, base)) return null;
  const url = new URL(location, base);
  const here = url.hostname.toLowerCase() === new URL(base).hostname;
  return here && url.pathname.startsWith(`/v2/${repository}/blobs/uploads/`)
    ? url.pathname + url.search
    : null;
}
