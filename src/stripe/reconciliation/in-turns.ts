/** Items that are worked on at once: webhooks go on beside them. */
const AT_ONCE = 8;

/**
 * Does `work` with each item, a few at once, the others as places come free. Answers in the order of the items. Once one
 * fails no other begins; it throws when those under way have ended.
 */
export async function inTurns<T extends object, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const answers: R[] = [];
  let next = 0;
  const turn = async (): Promise<void> => {
    for (;;) {
      const index = next++;
      const item = items[index];
      if (item === undefined) return;
      try {
        answers[index] = await work(item);
      } catch (error) {
        next = items.length;
        throw error;
      }
    }
  };
  const turns = await Promise.allSettled(Array.from({ length: AT_ONCE }, turn));
  for (const ended of turns) if (ended.status === 'rejected') throw ended.reason;
  return answers;
}
