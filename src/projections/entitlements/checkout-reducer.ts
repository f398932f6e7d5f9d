import type { CheckoutEventType } from '../../events/checkout.events.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import { factOriginOf, startOf } from './fact-rows.js';
import type { FactsLoader } from './facts-loader.js';
import { hasFacts } from './kept-rows.js';
import { type OwnershipReducer, sorted } from './ownership-reducer.js';
import type { PaymentReducer } from './payment-reducer.js';
import { userStreamsOf } from './user-streams.js';
import type { WorkingSet } from './working-set.js';
import type { WriteBatch } from './write-batch.js';

type EventOf<Type extends EventEnvelope['type']> = Extract<EventEnvelope, { type: Type }>;

export interface CheckoutReducerOptions {
  readonly workingSet: WorkingSet;
  readonly loader: FactsLoader;
  readonly changes: WriteBatch;
  readonly ownership: OwnershipReducer;
  readonly payments: PaymentReducer;
}

const NOBODY: readonly string[] = [];

/** Folds checkout sessions, each event into the users who must be judged anew, in a fixed order. */
export class CheckoutReducer {
  constructor(private readonly options: CheckoutReducerOptions) {}

  /** What Stripe told of a session. */
  async fold(event: EventOf<CheckoutEventType>): Promise<readonly string[]> {
    const { workingSet, loader, changes, ownership, payments } = this.options;
    const { session, customer, subscription } = event.data;
    const row = await loader.checkout(session);
    const observation = { ...factOriginOf(event), type: event.type, data: event.data };
    if (!row.observations.some(({ eventId }) => eventId === observation.eventId)) {
      row.observations.push(observation);
      this.#noteUsers(event);
    }
    // What a session names is known from any of its events and does not change.
    const names = { customer: row.customer ?? customer, subscription: row.subscription ?? subscription };
    if (names.subscription !== null) await loader.subscription(names.subscription);
    if (names.customer !== null) await loader.customer(names.customer);
    workingSet.setNamesOf(row, names);
    changes.checkouts.add(row);
    await payments.foldSession(session, event.data.paymentIntent);

    const affected = new Set<string>(await ownership.reassessPurchase(row));
    if (names.customer !== null) {
      for (const user of ownership.reassessCustomer(await loader.customer(names.customer)))
        affected.add(user);
    }
    const named = names.subscription === null ? undefined : workingSet.subscriptions.get(names.subscription);
    if (named !== undefined && hasFacts(named)) {
      for (const user of await ownership.reassess(named)) affected.add(user);
    }
    return sorted(affected);
  }

  /** Of what Tenure starts only what it is to sell for good matters: a subscription tells itself. */
  async foldStart(event: EventOf<'CheckoutStarted'>): Promise<readonly string[]> {
    const { loader, changes, ownership } = this.options;
    this.#noteUsers(event);
    const started = startOf(event);
    if (started === null) return NOBODY;
    const row = await loader.checkout(event.data.session);
    row.started = started;
    changes.checkouts.add(row);
    return sorted(await ownership.reassessPurchase(row));
  }

  /** What ops said whose a purchase is. */
  async foldLink(event: EventOf<'CheckoutLinked' | 'CheckoutUnlinked'>): Promise<readonly string[]> {
    const { loader, changes, ownership } = this.options;
    const row = await loader.checkout(event.data.session);
    this.#noteUsers(event);
    row.link = event.type === 'CheckoutLinked' ? event.data.userId : null;
    changes.checkouts.add(row);
    return sorted(await ownership.reassessPurchase(row));
  }

  #noteUsers(event: EventEnvelope): void {
    this.options.changes.twoClocks.userStreams.push(...userStreamsOf(event));
  }
}
