type Fields = Readonly<Record<string, unknown>>;

/**
 * The old values of what differs, as `data.previous_attributes` of an event names them (Stripe: "The Event object"): of a
 * hash only the keys that changed, `null` for one that was not there; of a list inside an object its `data`; an array whole.
 * `null` when nothing differs.
 */
export function previousAttributes(before: object, after: object): Fields | null {
  const previous: Record<string, unknown> = {};
  const [was, is] = [before as Fields, after as Fields];
  for (const key of new Set([...Object.keys(was), ...Object.keys(is)])) {
    const [old, now] = [was[key], is[key]];
    if (old === now || isSame(old, now)) continue;
    previous[key] = previousValue(old, now);
  }
  return Object.keys(previous).length === 0 ? null : previous;
}

function previousValue(old: unknown, now: unknown): unknown {
  if (old === undefined) return null;
  if (!isHash(old) || !isHash(now)) return old;
  if (old.object === 'list') return { data: old.data };
  return typeof old.id === 'string' ? old : previousAttributes(old, now);
}

function isHash(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object') return false;
  return JSON.stringify(one) === JSON.stringify(other);
}
