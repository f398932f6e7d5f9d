import { deadlineStream } from '../events/stream-names.js';
import type { Aggregate, KeyedOrigin, Origin } from './aggregate.js';
import { SeenKeys } from './seen-keys.js';

/**
 * Record that a stored successor of a user's snapshot is due, once by user and instant, however many send it. The
 * instant (Unix ms when it is given, RFC 3339 in the log) has passed by the sender's clock.
 */
export class ReachAccessDeadline {
  readonly at: string;
  readonly origin: KeyedOrigin;
  constructor(
    readonly userId: string,
    at: number,
    origin: Omit<Origin, 'causation'>,
  ) {
    this.at = new Date(at).toISOString();
    this.origin = { ...origin, causation: `${userId}@${this.at}` };
  }
}

/** One event for one instant. The state is the instants that the stream holds; they may come in any order. */
export const deadlineAggregate: Aggregate<SeenKeys, ReachAccessDeadline> = {
  streamOf: (prefix, { userId }) => deadlineStream(prefix, userId),
  expectsNewStream: () => false,
  initial: SeenKeys.none,
  evolve: (reached, { event }) =>
    event.type === 'AccessDeadlineReached' ? reached.with(event.data.at) : reached,
  // The key is `{userId}@{instant}`, on the user's own stream.
  knows: (reached, key) => reached.has(key.slice(key.lastIndexOf('@') + 1)),
  decide: (reached, { userId, at }) =>
    reached.has(at) ? [] : [{ type: 'AccessDeadlineReached', data: { userId, at } }],
};
