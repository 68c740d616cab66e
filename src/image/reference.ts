/** A parsed image reference: `[domain/]path[:tag][@digest]`. */
export interface Reference {
  readonly domain?: string;
  readonly path: string;
  readonly tag?: string;
  readonly digest?: string;
}
