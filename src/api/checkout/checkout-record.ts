import type { CommandBus } from '@nestjs/cqrs';
import { RecordCheckoutEvent } from '../../commands/checkout.aggregate.js';
import type { EventStore } from '../../event-store/event-store.js';
import type { CheckoutStartedData } from '../../events/checkout.events.js';
import { parseEvent } from '../../events/event-envelope.js';
import { checkoutStream } from '../../events/stream-names.js';
import { reportedStatus } from './checkout-status.js';
import type { BuyingUser } from './customer-of-user.js';
import type { Wanted } from './wanted.js';

export interface CheckoutRecordOptions {
  readonly commands: CommandBus;
  readonly store: Pick<EventStore, 'read'>;
  readonly streamPrefix: string;
}

/** What of a begun checkout is not the choice itself. */
export type Begun = Omit<
  CheckoutStartedData,
  'userId' | 'plan' | 'interval' | 'price' | 'quantity' | 'addons'
>;

/** The streams of checkouts: what was begun is written there, and what became of it is read. */
export class CheckoutRecord {
  constructor(private readonly options: CheckoutRecordOptions) {}

  /** Records that a checkout was begun, once a session. @throws what the command throws */
  async started(
    { userId, requestId }: BuyingUser,
    actor: string,
    { offer, price, quantity, addons }: Wanted,
    begun: Begun,
  ): Promise<void> {
    const { plan, interval } = offer;
    const choice = {
      plan,
      interval,
      price: price.id,
      quantity,
      addons: addons.map(({ addon, price: its, quantity: units }) => ({
        addon,
        price: its,
        quantity: units,
      })),
    };
    const data: CheckoutStartedData = { ...begun, ...choice, userId };
    const causation = `started/${begun.session}`;
    const origin = { actor, correlationId: requestId, causation, stripe: null };
    const event = { type: 'CheckoutStarted', data } as const;
    await this.options.commands.execute(new RecordCheckoutEvent(begun.session, event, origin));
  }

  /** What Stripe told of a session; `null` where nothing. @throws what the store throws */
  async reportedStatus(session: string): Promise<ReturnType<typeof reportedStatus>> {
    const { store, streamPrefix } = this.options;
    const events = await store.read(checkoutStream(streamPrefix, session), 0);
    return reportedStatus(events.map(parseEvent));
  }
}
