import { setTimeout as pause } from 'node:timers/promises';

/** Longer than anything takes that comes at all, also on a machine that has much else to do. */
export const PATIENCE_MS = 180_000;

/** Milliseconds between two looks: the first, and the longest. What takes seconds is not slowed down by a hundred looks a second. */
const LOOK_MS = { first: 10, longest: 50 };

/** Waits until `condition` gives a value that is not `false` or `undefined`, and returns it. Throws after `withinMs`. */
export async function until<T>(
  what: string,
  condition: () => Promise<T | false | undefined> | T | false | undefined,
  withinMs = PATIENCE_MS,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  let lookMs = LOOK_MS.first;
  for (;;) {
    const value = await condition();
    if (value !== false && value !== undefined) return value;
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await pause(lookMs);
    lookMs = Math.min(lookMs * 1.1, LOOK_MS.longest);
  }
}
