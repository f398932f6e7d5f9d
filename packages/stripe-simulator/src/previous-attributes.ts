type Fields = Readonly<Record<string, unknown>>;

/**
 * The old values of what `changes` make different, as `data.previous_attributes` of an event names them (Stripe: "The Event
 * object"): of a hash only the keys that changed, `null` for one that was not there; of a list inside an object its `data`;
 * an array whole. `null` when nothing differs.
 */
export function previousAttributes(before: object, changes: object): Fields | null {
  return differing(before as Fields, changes as Fields, Object.keys(changes));
}

function differing(was: Fields, is: Fields, keys: readonly string[]): Fields | null {
  let previous: Record<string, unknown> | null = null;
  for (const key of keys) {
    const [old, now] = [was[key], is[key]];
    if (old === now || isSame(old, now)) continue;
    previous ??= {};
    previous[key] = previousValue(old, now);
  }
  return previous;
}

function previousValue(old: unknown, now: unknown): unknown {
  if (old === undefined) return null;
  if (!isHash(old) || !isHash(now)) return old;
  if (old.object === 'list') return { data: old.data };
  if (typeof old.id === 'string') return old;
  return differing(old, now, [...new Set([...Object.keys(old), ...Object.keys(now)])]);
}

function isHash(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object') return false;
  return JSON.stringify(one) === JSON.stringify(other);
}
