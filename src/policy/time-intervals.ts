/** An interval of time from `start` up to, not including, `end` (Unix seconds). */
export interface TimeInterval {
  readonly start: number;
  readonly end: number;
}

/** From `from` (Unix seconds) on `value` holds, `null` where nothing does. */
export interface Step<T> {
  readonly from: number;
  readonly value: T | null;
}

/**
 * Which of the intervals that cover an instant comes first in the order of `compare`, for every instant: ascending steps,
 * each other than the one before. In the time of a sort, so that thousands of intervals cost what they must.
 */
export function firstOverTime<T extends TimeInterval>(
  intervals: readonly T[],
  compare: (a: T, b: T) => number,
): readonly Step<T>[] {
  const lasting = intervals.filter(({ start, end }) => start < end).sort(compare);
  const instants = [...new Set(lasting.flatMap(({ start, end }) => [start, end]))].sort((a, b) => a - b);
  const indexOf = new Map(instants.map((instant, index) => [instant, index]));
  const values = new Array<T | null>(instants.length).fill(null);
  // The nearest instant at or after each that no interval has taken yet: the best takes what it covers, the next what is left.
  const free = instants.map((_, index) => index);
  const nextFree = (index: number): number => {
    let found = index;
    for (let next = free[found]; next !== undefined && next !== found; next = free[found]) found = next;
    for (let at = index; at !== found; ) {
      const next = free[at] ?? found;
      free[at] = found;
      at = next;
    }
    return found;
  };
  for (const interval of lasting) {
    const end = indexOf.get(interval.end) ?? 0;
    for (let at = nextFree(indexOf.get(interval.start) ?? 0); at < end; at = nextFree(at)) {
      values[at] = interval;
      free[at] = at + 1;
    }
  }
  return instants
    .map((from, index): Step<T> => ({ from, value: values[index] ?? null }))
    .filter(({ value }, index) => index === 0 || value !== (values[index - 1] ?? null));
}

/** What holds at an instant (Unix seconds). */
export function valueAt<T>(steps: readonly Step<T>[], instant: number): T | null {
  return steps[countUpTo(steps, instant, ({ from }) => from) - 1]?.value ?? null;
}

/** How many entries of a list, ascending by `key`, have a key not above the limit. */
export function countUpTo<T>(list: readonly T[], limit: number, key: (entry: T) => number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const entry = list[middle];
    if (entry !== undefined && key(entry) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Answers, in the time of a binary search, the entry of greatest value among those whose key is not above a limit: of equal
 * values the one of smallest key, `null` where there is none.
 */
export function greatestUpTo<T extends { readonly key: number; readonly value: number }>(
  entries: readonly T[],
): (limit: number) => T | null {
  const sorted = [...entries].sort((a, b) => a.key - b.key);
  let greatest: T | null = null;
  const running = sorted.map((entry) => {
    if (greatest === null || entry.value > greatest.value) greatest = entry;
    return { key: entry.key, greatest };
  });
  return (limit) => running[countUpTo(running, limit, ({ key }) => key) - 1]?.greatest ?? null;
}
