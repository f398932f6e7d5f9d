import type { CheckoutObservation, Observation, Told } from './facts.js';
import { compareText, compareTold, orderObservations } from './order.js';

/** One sight of a customer that bears on ownership: the claim in its own metadata, `null` when it has none. */
export interface CustomerObservation extends Told {
  readonly userId: string | null;
}

/** What tells whose a subscription is. `link` is the latest one made by ops, `null` when none stands. */
export interface SubscriptionClaims {
  readonly link: string | null;
  readonly observations: readonly Observation[];
  /** Checkout sessions that name the subscription. */
  readonly checkouts: readonly CheckoutObservation[];
}

/** What tells whose a customer is. `subscriptions` are the observations of all its subscriptions. */
export interface CustomerClaims {
  readonly link: string | null;
  readonly observations: readonly CustomerObservation[];
  /** Checkout sessions that name the customer. */
  readonly checkouts: readonly CheckoutObservation[];
  readonly subscriptions: readonly Observation[];
}

/** A word of the facts about whose something is, and the Stripe event that said it. */
export interface Claim {
  readonly userId: string;
  readonly eventId: string;
}

/**
 * Whose a subscription is (DESIGN 6): ops' latest link; else its own metadata; else the earliest checkout session
 * that names it and makes a claim; else its customer's owner. `null` while nobody is known.
 */
export function subscriptionOwner(claims: SubscriptionClaims, customerOwner: string | null): string | null {
  return claims.link ?? subscriptionClaims(claims)[0]?.userId ?? customerOwner;
}

/**
 * Whose a customer is (DESIGN 6): ops' latest link; else its own newest metadata that has a claim; else its earliest
 * checkout session's; else the earliest claim of its subscriptions.
 */
export function customerOwner(claims: CustomerClaims): string | null {
  return claims.link ?? customerClaims(claims)[0]?.userId ?? null;
}

/** Claims about a subscription that say otherwise than its owner; empty while it has none. */
export function subscriptionConflicts(claims: SubscriptionClaims, owner: string | null): readonly Claim[] {
  return otherwise(subscriptionClaims(claims), owner);
}

/** Claims about a customer that say otherwise than its owner; empty while it has none. */
export function customerConflicts(claims: CustomerClaims, owner: string | null): readonly Claim[] {
  return otherwise(customerClaims(claims), owner);
}

/** The customer a subscription names, of the newest observation that names one. */
export function customerOfSubscription(observations: readonly Observation[]): string | null {
  const { observations: ordered } = orderObservations(observations);
  return ordered.findLast(({ data }) => data.customer !== null)?.data.customer ?? null;
}

/** Claims in the order in which they count: the first one decides. */
function subscriptionClaims({ observations, checkouts }: SubscriptionClaims): readonly Claim[] {
  const ordered = orderObservations(observations).observations;
  return [...newestClaim(ordered.map(toSighted)), ...checkoutClaims(checkouts)];
}

function customerClaims({ observations, checkouts, subscriptions }: CustomerClaims): readonly Claim[] {
  const ordered = [...observations].sort(compareCustomerObservations);
  return [
    ...newestClaim(ordered),
    ...checkoutClaims(checkouts),
    ...[...subscriptions].sort(compareTold).map(toSighted).flatMap(toClaim),
  ];
}

/** Every event of a session claims but `expired`; its metadata goes before its `client_reference_id`. */
function checkoutClaims(checkouts: readonly CheckoutObservation[]): readonly Claim[] {
  return checkouts
    .filter((checkout) => checkout.type !== 'CheckoutExpired')
    .sort(compareTold)
    .flatMap(({ eventId, data }) => {
      const userId = data.metadataUserId ?? data.clientReferenceId;
      return userId === null ? [] : [{ userId, eventId }];
    });
}

interface Sighted {
  readonly eventId: string;
  readonly userId: string | null;
}

function toSighted({ eventId, data }: Observation): Sighted {
  return { eventId, userId: data.userId };
}

function toClaim({ eventId, userId }: Sighted): readonly Claim[] {
  return userId === null ? [] : [{ userId, eventId }];
}

function newestClaim(ordered: readonly Sighted[]): readonly Claim[] {
  const newest = ordered.findLast(({ userId }) => userId !== null);
  return newest === undefined ? [] : toClaim(newest);
}

function otherwise(claims: readonly Claim[], owner: string | null): readonly Claim[] {
  if (owner === null) return [];
  const byUser = new Map<string, Claim>();
  for (const claim of claims) {
    if (claim.userId !== owner && !byUser.has(claim.userId)) byUser.set(claim.userId, claim);
  }
  return [...byUser.values()].sort((a, b) => compareText(a.userId, b.userId));
}

/** Within a second a customer is created first and deleted last. */
function compareCustomerObservations(a: CustomerObservation, b: CustomerObservation): number {
  return a.created - b.created || rank(a) - rank(b) || compareText(a.eventId, b.eventId);
}

function rank({ stripeType }: Told): number {
  if (stripeType === 'customer.created') return 0;
  return stripeType === 'customer.deleted' ? 2 : 1;
}
