import { requireOwn } from '../../auth/access-control.js';
import type { Caller } from '../../auth/caller.js';
import type { EventStore } from '../../event-store/event-store.js';
import { parseEvent } from '../../events/event-envelope.js';
import { checkoutStream } from '../../events/stream-names.js';
import { ProblemError } from '../../http/problem.js';
import type { Projection } from '../../projections/engine/projection.js';
import type { EntitlementReader } from '../../projections/read-models/entitlement.reader.js';
import type { OpsReader } from '../../projections/read-models/ops.reader.js';
import { ReadModelNotReadyError } from '../../projections/read-models/served-row.js';
import type { UserFactsReader } from '../../projections/read-models/user-facts.reader.js';
import type { CheckoutStatusResponse } from './checkout.schemas.js';
import { checkoutStory } from './checkout-status.js';
import { isInForce } from './in-force.js';

export interface CheckoutStatusOptions {
  readonly store: Pick<EventStore, 'read'>;
  readonly streamPrefix: string;
  readonly reader: Pick<EntitlementReader, 'read'>;
  readonly facts: Pick<UserFactsReader, 'subscriptions'>;
  readonly ops: Pick<OpsReader, 'currentCatalog'>;
  readonly engine: Pick<Projection, 'nextChange'>;
  /** Unix milliseconds. */
  readonly now: () => number;
}

const SESSION_ID = /^(?:cs|bps|in)_\w{1,250}$/;
/** Requests that wait at once; more are answered as it is. */
const MOST_WAITING = 200;
/** The next look, where nothing was folded meanwhile. */
const LOOK_EVERY_MS = 1_000;

/** Follows checkouts that Tenure began, of all three kinds, by the log and the read models: Stripe is not asked. */
export class CheckoutStatusService {
  #waiting = 0;

  constructor(private readonly options: CheckoutStatusOptions) {}

  /**
   * What became of a checkout; waits until it is in force or over, `waitSeconds` at most (25: less than a key may live after its revocation), and no
   * longer than the token that asks holds.
   * @throws ProblemError `not_found`, `other_user`
   */
  async status(
    sessionId: string,
    waitSeconds: number,
    caller: Pick<Caller, 'userId' | 'endsAt'>,
  ): Promise<CheckoutStatusResponse> {
    if (!SESSION_ID.test(sessionId)) throw unknown();
    const asked = waitSeconds * 1_000;
    const allowed = caller.endsAt === null ? asked : Math.min(asked, caller.endsAt - this.options.now());
    const until = performance.now() + allowed;
    let now = await this.#look(sessionId);
    requireOwn(caller, now.userId);
    if (this.#waiting >= MOST_WAITING) return now;
    this.#waiting += 1;
    try {
      for (
        let left = until - performance.now();
        left > 0 && mayChange(now);
        left = until - performance.now()
      ) {
        await this.options.engine.nextChange(Math.min(left, LOOK_EVERY_MS));
        now = await this.#look(sessionId);
      }
    } finally {
      this.#waiting -= 1;
    }
    return now;
  }

  async #look(sessionId: string): Promise<CheckoutStatusResponse> {
    const { store, streamPrefix, reader, facts, ops, now } = this.options;
    const stored = await store.read(checkoutStream(streamPrefix, sessionId), 0);
    const story = checkoutStory(stored.map(parseEvent), Math.floor(now() / 1_000));
    if (story === null) throw unknown();
    const { started } = story;
    const [{ snapshot }, subscriptions, catalog] = await Promise.all([
      reader.read(started.userId),
      facts.subscriptions(started.userId),
      ops.currentCatalog(),
    ]);
    if (catalog === null) throw new ReadModelNotReadyError();
    // Of the portal and the API nothing is told but what becomes of the subscription.
    const isFollowed = sessionId.startsWith('cs_');
    const inForce =
      (!isFollowed || story.status === 'complete') && isInForce(started, snapshot, subscriptions, catalog);
    return {
      sessionId,
      userId: started.userId,
      purpose: started.purpose,
      plan: started.plan,
      interval: started.interval,
      quantity: started.quantity,
      addons: Object.fromEntries(started.addons.map(({ addon, quantity }) => [addon, quantity])),
      status: inForce ? 'complete' : story.status,
      inForce,
      expiresAt: started.expiresAt === null ? null : new Date(started.expiresAt * 1_000).toISOString(),
    };
  }
}

/** Whether waiting makes sense: what is over stays so, but for a debit that failed and is tried again. */
function mayChange({ inForce, status }: CheckoutStatusResponse): boolean {
  return !inForce && (status === 'open' || status === 'processing' || status === 'complete');
}

function unknown(): ProblemError {
  return new ProblemError('not_found', 'Tenure began no checkout of this id.');
}
