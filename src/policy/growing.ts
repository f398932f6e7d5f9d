/**
 * Lists of facts that only grow, and only at their end: whoever keeps facts says so of its lists, and what is made of such
 * a list is kept with it and extended. Of any other list everything is made from scratch, with the same result.
 */
const growing = new WeakSet<readonly object[]>();

/** Promises that a list will only ever be pushed to; returns it. */
export function growingList<T extends object>(list: T[]): T[] {
  growing.add(list);
  return list;
}

/** Whether a list was promised only to grow. */
export function isGrowing(list: readonly object[]): boolean {
  return growing.has(list);
}

/** What was made of the first `count` entries of a list. */
interface Made<V> {
  readonly value: V;
  count: number;
}

/**
 * Makes a value of a list, entry by entry. Of a growing list the value is kept and only what is new is added to it; it may
 * change then, so nobody keeps it longer than the list stays as it is.
 */
export function keptWith<T extends object, V>(
  make: (list: readonly T[]) => V,
  add: (value: V, entry: T) => void,
): (list: readonly T[]) => V {
  const kept = new WeakMap<readonly T[], Made<V>>();
  return (list) => {
    if (!isGrowing(list)) return make(list);
    const made = kept.get(list);
    if (made === undefined) {
      const value = make(list);
      kept.set(list, { value, count: list.length });
      return value;
    }
    for (const entry of list.slice(made.count)) add(made.value, entry);
    made.count = list.length;
    return made.value;
  };
}

/** The event ids of a list of facts. */
export const eventIdsOf: (facts: readonly { readonly eventId: string }[]) => ReadonlySet<string> = keptWith(
  (facts) => new Set(facts.map(({ eventId }) => eventId)),
  (ids: Set<string>, { eventId }) => {
    ids.add(eventId);
  },
);
