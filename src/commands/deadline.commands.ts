import type { Origin } from './decider.js';

/**
 * Record that a stored successor of a user's snapshot is due: `at` is its instant (Unix ms), which has passed by the
 * sender's clock. Once by user and instant, however many send it.
 */
export class ReachAccessDeadline {
  constructor(
    readonly userId: string,
    readonly at: number,
    readonly origin: Omit<Origin, 'causation'>,
  ) {}
}
