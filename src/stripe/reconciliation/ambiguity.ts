import { isRetrievedType } from '../../events/event-types.js';
import { accessKey, accessStateOf } from '../../policy/access-fields.js';
import { type CustomerObservation, isCustomerDeleted } from '../../policy/customer-sights.js';
import type { FactOrigin, InvoiceObservation, Observation, PurchaseFacts } from '../../policy/facts.js';
import { foldInvoices } from '../../policy/invoices.js';
import { isTerminal, orderObservations } from '../../policy/order.js';
import { isSaleUnknown } from '../../policy/purchases.js';
import { isTrouble } from '../../projections/entitlements/payment-facts.js';
import { isPlaced } from './payment-invoices.js';
import type { StreamFacts } from './stream-facts.js';

/**
 * What only Stripe can say of a subscription, an invoice or a customer (DESIGN 5.4). `why` is what left the doubt: the greatest Stripe event id in
 * it, by which the answer counts once. An answer settles it only when it is of a later second (Unix) than `after`: it loses ties.
 */
export interface Ambiguity {
  readonly why: string;
  readonly after: number;
}

/**
 * What is in doubt about a subscription, `null` when nothing is: where nothing was observed of it, or it was incomplete
 * yet, and a completed checkout names it (`namedBy` is what told of that); where the newest observation has its items cut; where the newest second holds
 * a tie whose orders end in different access, or different answers. A subscription that has ended, and what came before the
 * newest second, is settled by what came later. Pure; a function of the set of `observations`.
 */
export function ambiguityOf(observations: readonly Observation[], namedBy: string | null): Ambiguity | null {
  const { observations: ordered, tiedAt } = orderObservations(observations);
  const newest = ordered.at(-1);
  if (newest === undefined) return namedBy === null ? null : { why: namedBy, after: -1 };
  if (ordered.some(({ data }) => isTerminal(data.status))) return null;
  const { created: after } = newest;
  if (namedBy !== null && newest.data.status === 'incomplete') return { why: namedBy, after };
  const ofSecond = ordered.filter(({ created }) => created === after);
  if (tiedAt === after) {
    const ends = ofSecond.filter(isEnd);
    if (endDifferently(ends)) return { why: greatest(ends), after };
  }
  if (newest.type === 'SubscriptionRetrieved') {
    // One that Stripe's API itself gave cut is no better asked for again.
    return endDifferently(ofSecond) ? { why: greatest(ofSecond), after } : null;
  }
  return newest.data.itemsTruncated ? { why: newest.eventId, after } : null;
}

/**
 * What is in doubt about one invoice: its lines, where those of the observation that decides were cut. What is void asks for
 * nothing. Pure; a function of the set of its `observations`.
 */
export function ambiguityOfInvoice(observations: readonly InvoiceObservation[]): Ambiguity | null {
  const [invoice] = foldInvoices(observations);
  if (invoice === undefined || !invoice.data.linesTruncated || invoice.data.status === 'void') return null;
  const { type, eventId, created } = invoice.told;
  return isRetrievedType(type) ? null : { why: eventId, after: created };
}

/**
 * What is in doubt about a customer: whose it is, where the newest second that says so says it of several users. One that was
 * deleted shows no metadata, so there nothing is in doubt. Pure; a function of the set of its `observations`.
 */
export function ambiguityOfCustomer(observations: readonly CustomerObservation[]): Ambiguity | null {
  if (isCustomerDeleted(observations)) return null;
  const claims = observations.filter(({ userId }) => userId !== null);
  const after = claims.reduce((latest, { created }) => Math.max(latest, created), -1);
  const tied = claims.filter(
    ({ created, stripeType }) => created === after && stripeType === 'customer.updated',
  );
  // An answer of a later second settles it, also one that names nobody.
  if (observations.some(({ stripeType, created }) => stripeType === '' && created > after)) return null;
  return new Set(tied.map(({ userId }) => userId)).size > 1 ? { why: greatest(tied), after } : null;
}

/**
 * What is in doubt about a checkout session: what it sold, where it was paid and sold something once, and neither its line
 * items nor what Tenure started it to sell is known. Pure; a function of the set of its `observations`.
 */
export function ambiguityOfCheckout(
  purchase: Pick<PurchaseFacts, 'observations' | 'started'>,
): Ambiguity | null {
  return isSaleUnknown(purchase) ? { why: greatest(purchase.observations), after: -1 } : null;
}

/**
 * What is in doubt about a payment by its own stream: which invoice it paid, where something was refunded or disputed, its intent
 * is known, no invoice is named and Stripe was not asked. Pure; a function of the set of what was told.
 */
export function ambiguityOfPayment(facts: Pick<StreamFacts, 'payments' | 'isOfNoInvoice'>): Ambiguity | null {
  if (isPlaced(facts)) return null;
  const troubles = facts.payments.filter((told) => isTrouble(told) && told.data.paymentIntent !== null);
  return troubles.length === 0 ? null : { why: greatest(troubles), after: -1 };
}

/** Whether an observation may be the last of a second with a tie. */
function isEnd({ type, stripeType }: Observation): boolean {
  return type !== 'SubscriptionRetrieved' && stripeType !== 'customer.subscription.created';
}

/** Whether it matters for access which of these is the last. */
function endDifferently(ends: readonly Observation[]): boolean {
  return new Set(ends.map((observation) => accessKey(accessStateOf(observation)))).size > 1;
}

/** The greatest Stripe event id of these; an answer stands for the event that it was asked for. */
function greatest(observations: readonly FactOrigin[]): string {
  const ids = observations.map(({ eventId }) => eventId.split('/').at(-1) ?? eventId);
  return ids.sort().at(-1) ?? '';
}
