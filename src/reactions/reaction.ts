import { v5 as uuidV5 } from 'uuid';
import type { Statements } from '../database/in-transaction.js';
import type { EventEnvelope } from '../events/event-envelope.js';
import type { StoredEvent } from '../events/stored-event.js';
import type { UserChange } from './user-changes.js';

/**
 * Something that a reaction may follow: an event of the log, folded by the generation that is read; or a change of what a
 * user is served, as the fold wrote it. Changes come behind the event that caused them and before the next.
 */
export type Occurrence =
  | { readonly kind: 'event'; readonly event: EventEnvelope }
  | { readonly kind: 'change'; readonly change: UserChange };

/**
 * Work that follows an occurrence. `key` names it among all work of its reaction, whatever is read again: the same key is
 * the same work, with the same id. Work of one `lane` is done in order, one at a time; `group` is what a reaction may hold
 * back or drop as a whole, and has `atOnce` places. `payload` is anything that JSON can tell.
 */
export interface NewWork {
  readonly key: string;
  readonly lane: string;
  readonly group: string;
  readonly payload: unknown;
}

/** Work that is due. `payload` is parsed by the reaction's own schema; `attempts` counts the tries before this one. */
export interface DueWork {
  readonly id: string;
  readonly seq: string;
  readonly lane: string;
  readonly group: string;
  readonly payload: unknown;
  readonly attempts: number;
  /** Replayed by a person after it had been given up. */
  readonly replayed: boolean;
  readonly createdAt: Date;
}

/** Which of what happened a reaction is given. All else it is not shown, and is passed by for next to nothing. */
export interface Followed {
  /** Whether an event may matter, by its type and its texts as they are stored: only such a one is parsed. */
  mayMatter(event: StoredEvent): boolean;
  /** Changes of what users are served: `none` of them is read where none matters. */
  readonly changes: 'all' | 'none';
}

/** All that happened. */
export const EVERYTHING: Followed = { mayMatter: () => true, changes: 'all' };

/**
 * One thing that follows what happened, at least once each: a message, a mail, a call to Stripe.
 *
 * To add one, write a class that implements this, and name it in `reactions.module.ts` (`REACTIONS`). The reactor gives
 * `workFor` every occurrence that it `follows` once, in order, and writes what it answers together with the reaction's checkpoint; a worker
 * then calls `perform` until it comes back, `retryAfterMs` giving the pauses. So `workFor` decides by what it is shown
 * and what the log holds before it alone and calls nobody outside, and `perform` must bear to be called twice: the id of the work is the same each time
 * (an idempotency key for Stripe). A new reaction starts from now; a rebuild, swap or roll-back runs none again.
 */
export interface Reaction {
  /** Names its checkpoint and its work: once in use it never changes. */
  readonly name: string;
  /** Milliseconds to wait after the first, second … try that failed; after the last of them the work is given up. */
  readonly retryAfterMs: readonly number[];
  readonly follows: Followed;
  /** Tries of one group at once. */
  readonly atOnce: number;
  /** Whether nothing is wanted now: the checkpoint then goes on without a look at the log. */
  isAsleep(database: Statements): Promise<boolean>;
  /** What follows; part of the transaction that moves the checkpoint. */
  workFor(occurrences: readonly Occurrence[], database: Statements): Promise<readonly NewWork[]>;
  /** Groups of which no work is done now; it waits. */
  heldGroups(database: Statements): Promise<readonly string[]>;
  /** Does the work, in time, however often it is called. What it throws is a try that failed; `signal` ends it early. */
  perform(work: DueWork, signal: AbortSignal): Promise<void>;
}

/** Work that no further try can do; it is given up at once. */
export class UselessWorkError extends Error {
  override readonly name = 'UselessWorkError';
}

/** A try that was none, as its group is held since the work was taken: it waits, as it was. */
export class HeldWorkError extends Error {
  override readonly name = 'HeldWorkError';
}

/** A try that failed, where whoever refused said when to come again: not before `afterMs` milliseconds. */
export class LaterWorkError extends Error {
  override readonly name = 'LaterWorkError';
  constructor(
    message: string,
    readonly afterMs: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

const NAMESPACE = '5d0c5a1e-6f0b-4a57-9a55-0f1c2f6a7e31';

/** The id of work, or of what a reaction sends: the same for the same parts, in every run. */
export function stableId(...parts: readonly string[]): string {
  return uuidV5(JSON.stringify(parts), NAMESPACE);
}
