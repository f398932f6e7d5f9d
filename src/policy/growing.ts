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

/** Shorter lists cost no more from scratch than what is kept of them would cost memory. */
const KEPT_FROM = 32;

/** Whether what is made of a list is kept with it. */
export function isKept(list: readonly object[]): boolean {
  return list.length >= KEPT_FROM && isGrowing(list);
}

/**
 * Makes a value of a list. Of a long growing list the value is kept, and extended by what was added to the list since; it
 * may change then, so nobody keeps it longer than the list stays as it is. `extend` returns the value, the same or another.
 */
export function keptWith<T extends object, V>(
  make: (list: readonly T[]) => V,
  extend: (value: V, added: readonly T[], list: readonly T[]) => V,
): (list: readonly T[]) => V {
  const kept = new WeakMap<readonly T[], { readonly value: V; readonly count: number }>();
  return (list) => {
    if (!isKept(list)) return make(list);
    const made = kept.get(list);
    if (made?.count === list.length) return made.value;
    const value = made === undefined ? make(list) : extend(made.value, list.slice(made.count), list);
    kept.set(list, { value, count: list.length });
    return value;
  };
}

/** Makes a list of what is picked from each entry of a list; of a growing list the result grows, too. */
export function eachOf<T extends object, U extends object>(
  pick: (entry: T) => readonly U[],
): (list: readonly T[]) => readonly U[] {
  return keptWith<T, U[]>(
    (list) => growingList(list.flatMap(pick)),
    (picked, added) => {
      for (const entry of added) picked.push(...pick(entry));
      return picked;
    },
  );
}

/** The event ids of a list of facts. */
export const eventIdsOf: (facts: readonly { readonly eventId: string }[]) => ReadonlySet<string> = keptWith<
  { readonly eventId: string },
  Set<string>
>(
  (facts) => new Set(facts.map(({ eventId }) => eventId)),
  (ids, added) => {
    for (const { eventId } of added) ids.add(eventId);
    return ids;
  },
);
