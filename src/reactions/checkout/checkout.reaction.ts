import { z } from 'zod';
import type { EventStore } from '../../event-store/event-store.js';
import { canonicalJson } from '../../events/canonical-json.js';
import { parseEvent } from '../../events/event-envelope.js';
import { checkoutStream } from '../../events/stream-names.js';
import { untilAborted } from '../../observability/in-time.js';
import type { StripeGateway } from '../../stripe/gateway/stripe.gateway.js';
import type { StripeWrite } from '../../stripe/gateway/stripe-answers.js';
import { StripeUnansweredError } from '../../stripe/gateway/stripe-lists.js';
import { StripeRefusedError, written } from '../../stripe/gateway/written.js';
import {
  type DueWork,
  type Followed,
  type NewWork,
  type Occurrence,
  type Reaction,
  stableId,
  UselessWorkError,
} from '../reaction.js';
import {
  afterPurchase,
  afterUpgrade,
  type Deed,
  type PaidSubscription,
  paidSubscription,
} from './ended-by-payment.js';
import { type FollowUp, followUpOf, mayHaveFollowUp } from './follow-up.js';

export interface CheckoutReactionOptions {
  /** `null`: Stripe is never asked, and nothing follows. */
  readonly gateway: Pick<StripeGateway, 'at' | 'write'> | null;
  readonly store: Pick<EventStore, 'read'>;
  readonly streamPrefix: string;
}

const payloadSchema = z.discriminatedUnion('of', [
  z.strictObject({ of: z.literal('session'), session: z.string() }),
  z.strictObject({ of: z.literal('subscription'), subscription: z.string() }),
]) satisfies z.ZodType<FollowUp>;

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];

/**
 * Does at Stripe what follows a payment: a paid upgrade withdraws a planned cancellation and a schedule; what a paid purchase
 * takes the place of ends. Each step is asked of Stripe's present state, so doing it again does nothing more.
 */
export class CheckoutReaction implements Reaction {
  readonly name = 'checkout';
  readonly follows: Followed = { mayMatter: mayHaveFollowUp, changes: 'none' };
  readonly atOnce = 4;
  readonly retryAfterMs = [
    2 * SECOND,
    10 * SECOND,
    MINUTE,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    6 * HOUR,
    12 * HOUR,
    24 * HOUR,
  ];

  constructor(private readonly options: CheckoutReactionOptions) {}

  async isAsleep(): Promise<boolean> {
    return this.options.gateway === null;
  }

  async workFor(occurrences: readonly Occurrence[]): Promise<readonly NewWork[]> {
    return occurrences.flatMap((occurrence): readonly NewWork[] => {
      if (occurrence.kind !== 'event') return [];
      const payload = followUpOf(occurrence.event);
      if (payload === null) return [];
      const lane = payload.of === 'session' ? payload.session : payload.subscription;
      return [{ key: occurrence.event.id, lane, group: this.name, payload }];
    });
  }

  async heldGroups(): Promise<readonly string[]> {
    return [];
  }

  /** What a stop cuts off is asked again by the same keys. */
  async perform({ id, payload }: DueWork, signal: AbortSignal): Promise<void> {
    const { gateway } = this.options;
    if (gateway === null) throw new Error('there is no key of Stripe’s API any more');
    const followUp = payloadSchema.parse(payload);
    try {
      if (followUp.of === 'subscription')
        await this.#follow(gateway, followUp.subscription, afterUpgrade, { work: id, signal });
      else {
        for (const subscription of await this.#endedBy(followUp.session)) {
          await this.#follow(gateway, subscription, afterPurchase, { work: id, signal });
        }
      }
    } catch (error) {
      if (error instanceof StripeRefusedError) throw new UselessWorkError(error.message, { cause: error });
      throw error;
    }
  }

  /** The subscriptions that end once a session is paid, as it was begun; none of a session that Tenure did not begin. */
  async #endedBy(session: string): Promise<readonly string[]> {
    const { store, streamPrefix } = this.options;
    const events = (await store.read(checkoutStream(streamPrefix, session), 0)).map(parseEvent);
    return events.flatMap((event) => (event.type === 'CheckoutStarted' ? event.data.ends : []));
  }

  async #follow(
    gateway: Pick<StripeGateway, 'at' | 'write'>,
    subscription: string,
    deedsFor: (shown: PaidSubscription) => readonly Deed[],
    { work, signal }: { readonly work: string; readonly signal: AbortSignal },
  ): Promise<void> {
    const path = `/v1/subscriptions/${encodeURIComponent(subscription)}`;
    const answer = await untilAborted(signal, gateway.at(path, { 'expand[]': 'latest_invoice' }));
    if (answer.outcome === 'not_found') return;
    if (answer.outcome !== 'answered') throw new StripeUnansweredError(path, answer);
    for (const deed of deedsFor(paidSubscription.parse(answer.object))) {
      await untilAborted(signal, written(gateway, writeOf(deed, work)));
    }
  }
}

function writeOf({ does, id, params }: Deed, work: string): StripeWrite {
  // What is done is part of the key: tried again, something else may be right.
  const idempotencyKey = `tenure-${stableId(work, does, id, canonicalJson(params))}`;
  const at = encodeURIComponent(id);
  switch (does) {
    case 'release_schedule':
      return { method: 'POST', path: `/v1/subscription_schedules/${at}/release`, idempotencyKey };
    case 'cancel':
      return { method: 'DELETE', path: `/v1/subscriptions/${at}`, idempotencyKey };
    case 'update':
      return { method: 'POST', path: `/v1/subscriptions/${at}`, params, idempotencyKey };
  }
}
