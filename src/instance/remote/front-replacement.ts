/** How the container of the front was replaced, as the instance that did it has seen it. */
export type FrontReplacement =
  /** A second front took the new connections meanwhile. `drained`: every transfer that stood came to its end. */
  | { readonly kind: 'handed-over'; readonly drained: boolean }
  /** Nothing listened for some time: milliseconds, measured on the instance; null: that is not known. */
  | { readonly kind: 'in-place'; readonly awayMs: number | null };

/** What scripts/hand-over.sh says: `handed-over`, `cut-off`, `away 1234` or `away`; null for anything else. */
export function frontReplacement(words: string): FrontReplacement | null {
  const [, kind, milliseconds] = /^(handed-over|cut-off|away)(?: (\d{1,9}))?$/.exec(words) ?? [];
  if (kind === undefined) return null;
  if (kind === 'away') {
    return { kind: 'in-place', awayMs: milliseconds === undefined ? null : Number(milliseconds) };
  }
  return { kind: 'handed-over', drained: kind === 'handed-over' };
}
