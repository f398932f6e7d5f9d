/** A list to which entries are added at its end, and of which none is ever changed or taken away. */
export interface GrowingList<T> extends ReadonlyArray<T> {
  push(...added: T[]): number;
}

/**
 * Lists of facts that only grow, and only at their end: whoever keeps facts says so of its lists, and what is made of such
 * a list is kept with it and extended. Of any other list everything is made from scratch, with the same result.
 */
const growing = new WeakSet<readonly object[]>();

/** Promises that a list will only ever be pushed to; returns it. */
export function growingList<T extends object>(list: GrowingList<T>): GrowingList<T> {
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

/** Promises of a list, once it is long enough for that to matter, that it will only ever be pushed to; returns it. */
export function growingOnceLong<T extends object>(list: GrowingList<T>): GrowingList<T> {
  return list.length < KEPT_FROM ? list : growingList(list);
}

/** How a list came of another that is not pushed to any more: from `at` on, `added` stands where `removed` stood. */
export interface Edit<T> {
  readonly from: readonly T[];
  readonly at: number;
  readonly removed: readonly T[];
  readonly added: readonly T[];
}

const edits = new WeakMap<readonly object[], Edit<object>>();

/**
 * Another growing list: from `at` on, `added` stands in the place of `count` entries. What is kept with the list, of which
 * the caller lets go, may be carried over to it.
 */
export function editedList<T extends object>(
  list: readonly T[],
  at: number,
  count: number,
  added: readonly T[],
): GrowingList<T> {
  const edited = growingList(list.toSpliced(at, count, ...added));
  // One edit back and no further: else each list would keep all that there were before it.
  edits.delete(list);
  // `added` may be a list that its owner changes before the edit is carried over.
  edits.set(edited, { from: list, at, removed: list.slice(at, at + count), added: [...added] });
  return edited;
}

/**
 * Makes a value of a list. Of a long growing list the value is kept, and extended by what was added to the list since; it
 * may change then, so nobody keeps it longer than the list stays as it is. `extend` returns the value, the same or another.
 */
export function keptWith<T extends object, V extends object>(
  make: (list: readonly T[]) => V,
  extend: (value: V, added: readonly T[], list: readonly T[]) => V,
): (list: readonly T[]) => V {
  return keptThroughEdits(make, extend, () => null);
}

/**
 * As `keptWith`, and where a list came of another by an edit, `revise` makes its value of the other's, which it may change;
 * `null` when that is not easily done: then it is made from scratch.
 */
export function keptThroughEdits<T extends object, V extends object>(
  make: (list: readonly T[]) => V,
  extend: (value: V, added: readonly T[], list: readonly T[]) => V,
  revise: (value: V, edit: Edit<T>, list: readonly T[]) => V | null,
): (list: readonly T[]) => V {
  const kept = new WeakMap<readonly T[], Kept<V>>();
  const carriedOver = (list: readonly T[]): V | null => {
    const edit = edits.get(list) as Edit<T> | undefined; // a list and what it came of have entries of one type
    const before = edit === undefined ? undefined : kept.get(edit.from);
    if (edit === undefined || before === undefined || before.value === null) return null;
    const { from, removed, added } = edit;
    kept.delete(from);
    const whole =
      before.count === from.length ? before.value : extend(before.value, from.slice(before.count), from);
    const length = from.length - removed.length + added.length;
    if (list.length === length) return revise(whole, edit, list);
    const revised = revise(whole, edit, list.slice(0, length));
    return revised === null ? null : extend(revised, list.slice(length), list);
  };
  return (list) => {
    if (!isKept(list)) return make(list);
    const made = kept.get(list);
    if (made === undefined) {
      const value = carriedOver(list) ?? make(list);
      kept.set(list, { value, count: list.length });
      return value;
    }
    const { value: before, count } = made;
    if (before !== null && count === list.length) return before;
    made.value = null;
    const value = before === null ? make(list) : extend(before, list.slice(count), list);
    made.value = value;
    made.count = list.length;
    return value;
  };
}

/** What was made of the first `count` entries of a list; `value` is `null` from where a change of it begins until it is done. */
interface Kept<V> {
  value: V | null;
  count: number;
}

/** Makes a list of what is picked from each entry of a list, if anything; of a growing list the result grows, too. */
export function eachOf<T extends object, U extends object>(
  pick: (entry: T) => U | null,
): (list: readonly T[]) => readonly U[] {
  const pickAll = (list: readonly T[]): U[] => {
    const picked: U[] = [];
    for (const entry of list) {
      const each = pick(entry);
      if (each !== null) picked.push(each);
    }
    return picked;
  };
  const keptPicks = keptThroughEdits<T, GrowingList<U>>(
    (list) => growingList(pickAll(list)),
    (picked, added) => {
      for (const each of pickAll(added)) picked.push(each);
      return picked;
    },
    (picked, { from, at, removed, added }) => {
      const more = pickAll(added);
      const isOneOfEach = picked.length === from.length && more.length === added.length;
      return isOneOfEach ? editedList(picked, at, removed.length, more) : null;
    },
  );
  return (list) => (isKept(list) ? keptPicks(list) : pickAll(list));
}

/** The event ids of a list of facts. */
const eventIdsOf: (facts: readonly { readonly eventId: string }[]) => ReadonlySet<string> = keptWith<
  { readonly eventId: string },
  Set<string>
>(
  (facts) => new Set(facts.map(({ eventId }) => eventId)),
  (ids, added) => {
    for (const { eventId } of added) ids.add(eventId);
    return ids;
  },
);

/** Whether a list of facts has one of an event. */
export function hasEvent(facts: readonly { readonly eventId: string }[], eventId: string): boolean {
  return isKept(facts) ? eventIdsOf(facts).has(eventId) : facts.some((fact) => fact.eventId === eventId);
}
