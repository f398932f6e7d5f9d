import { z } from 'zod';
import type { PlanCatalog } from '../../events/catalog.events.js';
import type { Snapshot } from '../../projections/entitlements/snapshot.js';
import type { Buyer, BuyerReader } from '../../projections/read-models/buyer.reader.js';
import type { StripeGateway } from '../../stripe/gateway/stripe.gateway.js';
import type { NoAnswer, ObjectAnswer, PageAnswer } from '../../stripe/gateway/stripe-answers.js';
import { type Held, heldBy, type StripeSubscription, stripeSubscription } from './held.js';
import { completed } from './open-sessions.js';
import { answered, PATIENCE_MS } from './stripe-writes.js';

/** Statuses in which a subscription gives something, or will again once it is paid. */
const GIVING: readonly (string | null)[] = ['trialing', 'active', 'past_due'];
/** Statuses in which it has ended for good. */
const ENDED: readonly (string | null)[] = ['canceled', 'incomplete_expired'];

export interface RunningSubscriptions {
  /** What gives the plan, or would be changed. */
  readonly held: Held | null;
  /** Ids of those that give something. */
  readonly giving: readonly string[];
  /** Ids of those that have not ended and give nothing: a purchase replaces them. */
  readonly stopped: readonly string[];
}

/**
 * The subscriptions of a user that have not ended, as Stripe shows them now.
 * @throws ProblemError `checkout_completed` where Stripe has one that the read model does not know yet
 */
export async function runningSubscriptions(
  {
    gateway,
    buyers,
    userIdKey,
  }: {
    readonly gateway: Pick<StripeGateway, 'at'>;
    readonly buyers: Pick<BuyerReader, 'knownOf'>;
    readonly userIdKey: string;
  },
  {
    listed,
    buyer,
    snapshot,
    catalog,
    userId,
  }: {
    readonly customer: string;
    readonly listed: PageAnswer | NoAnswer | null;
    readonly buyer: Buyer;
    readonly snapshot: Snapshot;
    readonly catalog: PlanCatalog;
    readonly userId: string;
  },
): Promise<RunningSubscriptions> {
  const shown =
    listed === null
      ? []
      : z.array(stripeSubscription).parse(answered<PageAnswer>('/v1/subscriptions', listed).objects);
  const own = new Set(buyer.subscriptions.map(({ subscription }) => subscription));
  const strange = shown.filter(({ id, status }) => !own.has(id) && !ENDED.includes(status));
  const known = await buyers.knownOf(strange.map(({ id }) => id));
  for (const { id, metadata } of strange) {
    const claimed = metadata?.[userIdKey];
    if (!known.has(id) && (claimed === undefined || claimed === userId)) throw completed();
  }
  const all: StripeSubscription[] = shown.filter(({ id }) => own.has(id));
  for (const { subscription, status } of buyer.subscriptions) {
    if (ENDED.includes(status) || all.some(({ id }) => id === subscription)) continue;
    const path = `/v1/subscriptions/${encodeURIComponent(subscription)}`;
    const answer = await gateway.at(path, { 'expand[]': 'latest_invoice' }, PATIENCE_MS);
    if (answer.outcome === 'not_found') continue;
    all.push(stripeSubscription.parse(answered<ObjectAnswer>(path, answer).object));
  }
  const running = all.filter(({ status }) => !ENDED.includes(status));
  const giving = running.filter(({ status }) => GIVING.includes(status));
  const source =
    snapshot.source !== null && 'subscriptionId' in snapshot.source ? snapshot.source.subscriptionId : null;
  const [held = null] = giving
    .map((subscription) => heldBy(subscription, catalog))
    .sort((a, b) => place(b, source) - place(a, source));
  return {
    held,
    giving: giving.map(({ id }) => id),
    stopped: running.filter(({ status }) => !GIVING.includes(status)).map(({ id }) => id),
  };
}

/** The one that gives the plan before the one of the highest plan. */
function place({ subscription, planItem }: Held, source: string | null): number {
  if (subscription.id === source) return Number.MAX_SAFE_INTEGER;
  return planItem?.plan.plan.rank ?? Number.MIN_SAFE_INTEGER;
}
