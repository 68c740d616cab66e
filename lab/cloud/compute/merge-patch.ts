export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Applies a JSON merge patch (RFC 7386) as firewalls.patch does: null removes, objects merge, everything else,
 * lists too, replaces.
 */
export function mergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  const result: Record<string, unknown> = { ...target };
  for (const [key, value] of Object.entries(patch)) {
    const present = result[key];
    if (value === null) delete result[key];
    else if (isObject(value)) result[key] = mergePatch(isObject(present) ? present : {}, value);
    else result[key] = value;
  }
  return result;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
