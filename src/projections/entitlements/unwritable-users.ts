import type { SetAsides } from './set-aside.js';
import type { WriteBatch } from './write-batch.js';

/** Whether a user is set aside because the row could not be written. */
export function isUnwritable(asides: SetAsides, userId: string): boolean {
  return asides.ownFault(userId)?.stage === 'write';
}

/** Users of a batch of whom something is written that could not be before; a heal in memory is not written yet. */
export function unwritableOf(asides: SetAsides, { users, setAside }: WriteBatch): ReadonlySet<string> {
  const isHealed = (userId: string): boolean => setAside.users.get(userId)?.own === null;
  return new Set([...users.keys()].filter((userId) => isUnwritable(asides, userId) || isHealed(userId)));
}
