import type { Decider } from './decider.js';
import { SeenKeys } from './seen-keys.js';

/** What can be asked of the stream of a user's deadlines: to record that the instant `at` (RFC 3339) was reached. */
export interface DeadlineCommand {
  readonly userId: string;
  readonly at: string;
}

/** One event for one instant. The state is the instants that the stream holds; they may come in any order. */
export const deadlineDecider: Decider<SeenKeys, DeadlineCommand> = {
  initial: SeenKeys.none,
  evolve: (reached, { event }) =>
    event.type === 'AccessDeadlineReached' ? reached.with(event.data.at) : reached,
  decide: (reached, { userId, at }) =>
    reached.has(at) ? [] : [{ type: 'AccessDeadlineReached', data: { userId, at } }],
  // The key is `{userId}@{instant}`, on the user's own stream.
  knows: (reached, key) => reached.has(key.slice(key.lastIndexOf('@') + 1)),
};
