import type { PlanCatalog } from '../events/catalog.events.js';
import type { SubscriptionItem } from '../events/subscription.events.js';
import { type Awaited, awaitedPayment } from './awaited-payment.js';
import type { AdoptedPrice } from './entitlement.js';
import type { Observation, SubscriptionFacts } from './facts.js';
import { type Grace, graceOf } from './grace.js';
import { allWithHeldItems, unitsOf, wholeOnes } from './held-items.js';
import { foldInvoices } from './invoices.js';
import { paymentsOf } from './kept-payments.js';
import { isTerminal, orderObservations, statusObservation } from './order.js';
import { type PaymentGate, paymentGateOf } from './payment-gate.js';
import type { Payments } from './payments.js';
import { itemOfPrice, planItem, unitsByPrice } from './plan-item.js';
import { type PlanPeriod, planPeriodsOf } from './plan-periods.js';
import type { NamedAddon, NamedPlan, PriceBook } from './price-book.js';
import { openPriceBook } from './prices.js';
import { type Remains, remainsOf } from './remains.js';
import { type ReturnedInvoices, returnedInvoices } from './taken-back.js';
import { bounded } from './time.js';
import { type Lost, lostBy } from './written-off.js';

/**
 * One subscription as its facts make it, with everything decided that the clock cannot change. Times are Unix
 * seconds; `graceEnd`, `trialEnd` and `accessEnd` are `null` when no clock of ours takes access.
 */
export interface SubscriptionState {
  readonly subscription: string;
  readonly customer: string | null;
  readonly newest: Observation;
  readonly status: string;
  /** The observation whose status it is, `null` where its customer was seen deleted. */
  readonly statusFrom: Observation | null;
  readonly ended: boolean;
  /**
   * What it gives while nothing takes it: of the newest settled plan period; while none is and the status is `trialing`, of the
   * first; else `null`.
   */
  readonly followed: Held | null;
  readonly gate: PaymentGate;
  readonly firstWaits: boolean;
  readonly addons: readonly HeldAddon[];
  readonly lost: Lost;
  /** Invoices of which something was refunded or disputed. */
  readonly returned: ReturnedInvoices;
  /** What was paid for. */
  readonly payments: Payments;
  /** What a paid line covers of it; found when it is first asked for. */
  readonly remains: () => Remains;
  /** How its prices are read. */
  readonly book: PriceBook;
  /** The newest observation whose items were not cut. */
  readonly itemsFrom: Observation | null;
  /** Units of the last item that carried a price, `null` when none was seen. */
  readonly carriedUnits: (price: string) => number | null;
  readonly collectionSuspended: boolean;
  readonly trialEnd: number | null;
  readonly grace: Grace | null;
  readonly graceEnd: number | null;
  readonly cancelAt: number | null;
  readonly cancelRule: CancellationRule | null;
  readonly accessEnd: number | null;
  /** The second that counts as now for what a paid line covers; `null`: the clock's. */
  readonly standstill: number | null;
  readonly awaited: Awaited | null;
  /** Prices of items in no plan and no add-on. */
  readonly unmappedPrices: readonly string[];
  /** Prices of items in no plan that count as a plan's own here. */
  readonly adoptedPrices: readonly AdoptedPrice[];
}

/** What a plan period gives: its plan in units of its price; `plan` is `null` for a stretch without one. */
export interface Held {
  readonly plan: NamedPlan | null;
  readonly price: string | null;
  readonly units: number;
  /** `current_period_end` of the last item that carried the price. */
  readonly periodEnd: number | null;
  /** The observation with that item. */
  readonly periodFrom: Observation | null;
}

/** Field of Stripe's by which a subscription ends. */
export type CancellationRule = 'cancel_at' | 'cancel_at_period_end';

/** An add-on in the units that are held or given of it. */
export interface GivenAddon extends NamedAddon {
  readonly units: number;
}

/** An add-on in the units that are held of one of its prices. */
export interface HeldAddon extends GivenAddon {
  readonly price: string;
}

/** Decides all that does not depend on the clock; `null` while the subscription itself was never seen. */
export function openSubscriptionState(
  facts: SubscriptionFacts,
  catalog: PlanCatalog,
): SubscriptionState | null {
  const ordered = allWithHeldItems(orderObservations(facts.observations).observations);
  const newest = ordered.at(-1);
  // A customer deleted at Stripe ends its subscriptions (DESIGN 8).
  const statusFrom = facts.customerDeleted ? null : statusObservation(ordered);
  if (newest === undefined) return null;
  const status = statusFrom?.data.status ?? 'canceled';
  const { policy } = catalog;
  const whole = wholeOnes(ordered);
  const itemsFrom = whole.at(-1) ?? null;
  const held = itemsFrom?.data.items ?? [];
  const book = openPriceBook(catalog, ordered);
  const invoices = foldInvoices(facts.invoices);
  const returned = returnedInvoices(facts.payments, facts.invoices, invoices, policy);
  const payments = paymentsOf(facts.invoices, invoices, returned, ordered, book);
  const planPeriods = planPeriodsOf(ordered, book);
  const { checkouts } = facts;
  const paymentGate = paymentGateOf(
    { ordered, planPeriods: planPeriods, invoices, payments, checkouts, book },
    policy,
  );
  const { settled, first, firstWaits } = paymentGate;
  const isClocked = newest.data.testClock === null;
  const cancellation = cancellationOf(newest, held, book);
  const cancelAt = cancellation?.at ?? null;
  const grace =
    isClocked && status === 'past_due' ? graceOf(ordered, invoices, returned, payments, policy) : null;
  const followed = settled?.period ?? (status === 'trialing' ? first : null);
  const lost = lostBy(invoices, returned, ordered, payments, book, followed?.of?.plan ?? null);
  let remains: Remains | null = null;
  return {
    subscription: facts.subscription,
    customer: ordered.findLast((observation) => observation.data.customer !== null)?.data.customer ?? null,
    newest,
    status,
    statusFrom,
    ended: isTerminal(status),
    followed: followed === null ? null : heldBy(followed, ordered, whole),
    gate: paymentGate,
    firstWaits,
    addons: heldAddons(held, book),
    lost,
    returned,
    payments,
    book,
    itemsFrom,
    // Of most subscriptions nobody asks what stays of them.
    remains: () => {
      remains ??= remainsOf(payments, book, followed);
      return remains;
    },
    carriedUnits: (price) => carriedUnits(whole, price),
    collectionSuspended: policy.pauseCollection === 'suspend' && newest.data.pauseCollection !== null,
    trialEnd:
      isClocked && status === 'trialing' && newest.data.trialEnd !== null
        ? bounded(newest.data.trialEnd + policy.trialEndSlackHours * 3600)
        : null,
    grace,
    graceEnd: grace?.end ?? null,
    cancelAt,
    cancelRule: cancellation?.rule ?? null,
    accessEnd: isClocked ? cancelAt : null,
    standstill: isClocked ? null : newest.created,
    awaited: awaitedPayment({ ordered, book, paymentGate: paymentGate, invoices, returned, checkouts }),
    unmappedPrices: held
      .map(({ price }) => price)
      .filter((price) => book.planOf(price) === null && book.addonOf(price) === null),
    adoptedPrices: held.flatMap(({ price }) => {
      const plan = book.adopted.get(price);
      return plan === undefined ? [] : [{ price, plan: plan.name }];
    }),
  };
}

/** `cancel_at`; with `cancel_at_period_end` alone the plan item's period end. */
function cancellationOf(
  newest: Observation,
  held: readonly SubscriptionItem[],
  book: PriceBook,
): { readonly at: number; readonly rule: CancellationRule } | null {
  if (newest.data.cancelAt !== null) return { at: newest.data.cancelAt, rule: 'cancel_at' };
  if (!newest.data.cancelAtPeriodEnd) return null;
  const end = planItem(held, book)?.item.currentPeriodEnd ?? null;
  return end === null ? null : { at: end, rule: 'cancel_at_period_end' };
}

function heldBy({ of }: PlanPeriod, ordered: readonly Observation[], whole: readonly Observation[]): Held {
  if (of === null) return { plan: null, price: null, units: 0, periodEnd: null, periodFrom: null };
  const { price } = of.item;
  const carried = lastCarried(ordered, price);
  return {
    plan: of.plan,
    price,
    units: carriedUnits(whole, price) ?? 1,
    periodEnd: carried?.item.currentPeriodEnd ?? null,
    periodFrom: carried?.from ?? null,
  };
}

function carriedUnits(whole: readonly Observation[], price: string): number | null {
  const carried = lastCarried(whole, price);
  return carried === null ? null : unitsOf(carried.item);
}

/** The last item that carried a price, and the observation that it is from. */
function lastCarried(
  observations: readonly Observation[],
  price: string,
): { readonly item: SubscriptionItem; readonly from: Observation } | null {
  for (let at = observations.length - 1; at >= 0; at -= 1) {
    const from = observations[at];
    if (from === undefined) continue;
    const { items, previous } = from.data;
    const item = itemOfPrice(items, price) ?? itemOfPrice(previous?.items ?? [], price);
    if (item !== null) return { item, from };
  }
  return null;
}

function heldAddons(held: readonly SubscriptionItem[], book: PriceBook): readonly HeldAddon[] {
  return [...unitsByPrice(held)].flatMap(([price, units]) => {
    const addon = book.addonOf(price);
    return addon === null ? [] : [{ ...addon, price, units }];
  });
}
