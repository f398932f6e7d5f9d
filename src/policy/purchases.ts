import { LIFETIME, type PlanCatalog } from '../events/catalog.events.js';
import type { LineItem } from '../events/checkout.events.js';
import { showsComplete, showsPaid } from './checkout-states.js';
import type { CheckoutObservation, CheckoutStart, PaymentObservation, PurchaseFacts } from './facts.js';
import { paymentsByIds } from './joined-payments.js';
import { isTakenBackByDispute, type Money, moneyBackOf, moneyOf } from './money-back.js';
import { compareFactOrigins } from './order.js';
import type { NamedPlan } from './price-book.js';
import { type PriceIndex, priceIndex } from './prices.js';
import type { ReturnedPayment } from './taken-back.js';

/** A plan that a session sold for good: by which of its prices, in how many units. */
export interface SoldPlan {
  readonly plan: NamedPlan;
  readonly price: string;
  readonly units: number;
}

/** What decides what a purchase gives (DESIGN 8 "Purchases"), the first that fits. */
export type PurchaseRule =
  | 'purchase_awaits_payment'
  | 'purchase_unknown'
  | 'purchase_without_plan'
  | 'purchase_disputed'
  | 'purchase_refunded'
  | 'purchase_paid';

/**
 * A completed session of mode `payment`, as its facts make it. `newest` is its last sight, `paid` the first that shows it
 * paid; `basis` are the sights that tell its mode, which its payments are where something of them went back, and what they were of. `sold` are the plans that it sold, as `soldBy` tells; `null` where nobody knows what it sold. `payments` are its own.
 */
export interface Purchase {
  readonly session: string;
  readonly customer: string | null;
  readonly newest: CheckoutObservation;
  readonly completed: CheckoutObservation;
  readonly paid: CheckoutObservation | null;
  readonly basis: readonly CheckoutObservation[];
  readonly soldBy: CheckoutObservation | CheckoutStart | null;
  readonly sold: readonly SoldPlan[];
  readonly payments: readonly ReturnedPayment[];
  readonly rule: PurchaseRule;
}

/** What a purchase gives of one plan that it sold, or that it gives none. Purchases hold no add-ons. */
export interface PurchaseAccess {
  readonly kind: 'purchase';
  readonly purchase: Purchase;
  readonly access: boolean;
  readonly plan: NamedPlan | null;
  readonly units: number;
  readonly status: 'active' | null;
  readonly addons: readonly never[];
  readonly word: 'unpaid' | null;
  readonly rule: PurchaseRule;
}

/** Decides all of a purchase; `null` where the session is of another mode, or was never seen complete. */
export function openPurchase(facts: PurchaseFacts, catalog: PlanCatalog): Purchase | null {
  const ordered = [...facts.observations].sort(compareFactOrigins);
  const newest = ordered.at(-1);
  const paid = ordered.find(showsPaid) ?? null;
  const completed = ordered.find(showsComplete) ?? paid;
  const ofMode = ordered.find(saysModePayment);
  if (newest === undefined || completed === null || ofMode === undefined) return null;
  const listed = ordered.findLast(({ data }) => data.lineItems !== null) ?? null;
  const soldBy = listed ?? facts.started;
  const lines = listed?.data.lineItems ?? (facts.started === null ? [] : [lineOf(facts.started)]);
  const sold = soldPlans(lines, priceIndex(catalog));
  const payments = paymentsOf(ordered, facts.payments);
  const rule = ruleOf({ paid, soldBy, sold, payments }, catalog);
  const customer = ordered.findLast(({ data }) => data.customer !== null)?.data.customer ?? null;
  const basis = [ofMode, ...basisOf(ordered, payments)];
  return { session: facts.session, customer, newest, completed, paid, basis, soldBy, sold, payments, rule };
}

/** Whether sights of a session say that it sells something once, and no subscription. */
export function isOfModePayment(observations: readonly CheckoutObservation[]): boolean {
  return observations.some(saysModePayment);
}

function saysModePayment({ data }: CheckoutObservation): boolean {
  return data.mode === 'payment';
}

/** Whether sights of a session make it a purchase: of mode `payment`, and seen complete. */
export function isPurchase(observations: readonly CheckoutObservation[]): boolean {
  return isOfModePayment(observations) && observations.some((each) => showsComplete(each) || showsPaid(each));
}

/** Whether a purchase is paid and nobody knows what it sold: Stripe can be asked. */
export function isSaleUnknown({
  observations,
  started,
}: Omit<PurchaseFacts, 'payments' | 'session'>): boolean {
  return (
    started === null &&
    isOfModePayment(observations) &&
    observations.some(showsPaid) &&
    observations.every(({ data }) => data.lineItems === null)
  );
}

/** What a purchase gives: each plan that it sold, without end; nothing while it is not paid, or once it was taken back. */
export function purchaseAccesses(purchase: Purchase): readonly PurchaseAccess[] {
  const { rule, sold } = purchase;
  const common = { kind: 'purchase', purchase, addons: [], rule } as const;
  if (rule === 'purchase_paid') {
    return sold.map(({ plan, units }) => ({
      ...common,
      access: true,
      plan,
      units,
      status: 'active',
      word: null,
    }));
  }
  const isTakenBack = rule === 'purchase_disputed' || rule === 'purchase_refunded';
  const nothing = { access: false, plan: null, units: 0, status: null } as const;
  return [{ ...common, ...nothing, word: isTakenBack ? 'unpaid' : null }];
}

function lineOf({ price, quantity }: CheckoutStart): LineItem {
  return { price, lookupKey: null, product: null, quantity };
}

/** Plans whose `lifetime` price is on a line: by its id, else its lookup key, else its product (DESIGN 7). */
function soldPlans(lines: readonly LineItem[], index: PriceIndex): readonly SoldPlan[] {
  return lines.flatMap(({ price, lookupKey, product, quantity }) => {
    const names = [price, lookupKey, product].filter((name) => name !== null);
    const target = names.map((name) => index.get(name)).find((found) => found !== undefined);
    const units = quantity ?? 1;
    if (target?.kind !== 'plan' || target.label !== LIFETIME || units === 0) return [];
    return [{ plan: target.plan, price, units }];
  });
}

function paymentsOf(
  ordered: readonly CheckoutObservation[],
  told: readonly PaymentObservation[],
): readonly ReturnedPayment[] {
  const ids = new Set(ordered.flatMap(({ data }) => data.paymentIntent ?? []));
  return paymentsByIds(told, [...ids]).map((payment) => ({
    payment,
    back: moneyBackOf(payment, askedBy(ordered)),
  }));
}

/** What a session asks for, as it was seen last. */
function askedBy(ordered: readonly CheckoutObservation[]): Money | null {
  const newest = ordered.findLast(asks)?.data;
  return newest === undefined ? null : moneyOf(newest.amountTotal, newest.currency);
}

function asks({ data }: CheckoutObservation): boolean {
  return data.amountTotal !== null;
}

/** What first names each payment, where something of one went back, and tells how much they were of. */
function basisOf(
  ordered: readonly CheckoutObservation[],
  payments: readonly ReturnedPayment[],
): readonly CheckoutObservation[] {
  const returned = payments.filter(({ payment }) => payment.told.length > 0);
  if (returned.length === 0) return [];
  const ids = new Set(ordered.flatMap(({ data }) => data.paymentIntent ?? []));
  const named = [...ids].map((id) => ordered.find(({ data }) => data.paymentIntent === id));
  const asked = ordered.findLast(asks);
  return [...named, asked].flatMap((each) => each ?? []);
}

/** A full refund takes a purchase back under either setting, for nothing else could end it. */
function ruleOf(
  { paid, soldBy, sold, payments }: Pick<Purchase, 'paid' | 'soldBy' | 'sold' | 'payments'>,
  { policy }: PlanCatalog,
): PurchaseRule {
  if (paid === null) return 'purchase_awaits_payment';
  if (soldBy === null) return 'purchase_unknown';
  if (sold.length === 0) return 'purchase_without_plan';
  if (policy.dispute === 'suspend' && payments.some(({ back }) => isTakenBackByDispute(back)))
    return 'purchase_disputed';
  const isRefunded = payments.length > 0 && payments.every(({ back }) => back.isRefunded);
  return isRefunded ? 'purchase_refunded' : 'purchase_paid';
}
