import { mayClaim } from './checkout-states.js';
import { type CustomerObservation, compareCustomerObservations } from './customer-sights.js';
import type { CheckoutObservation, Observation } from './facts.js';
import { compareFactOrigins, compareText, orderObservations } from './order.js';

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

/** What a customer says of its subscriptions: ops' latest link, the claim of its newest metadata that has one, its owner. */
export interface CustomerWord {
  readonly link: string | null;
  readonly metadata: string | null;
  readonly owner: string | null;
}

/** What is said where no customer is known. */
export const NO_CUSTOMER: CustomerWord = { link: null, metadata: null, owner: null };

/** A word of the facts about whose something is, and the Stripe event that said it. */
export interface Claim {
  readonly userId: string;
  readonly eventId: string;
}

/** Rule by which something belongs to a user (DESIGN 6). */
export type OwnerRule =
  | 'owner_by_link'
  | 'owner_by_metadata'
  | 'owner_by_customer_link'
  | 'owner_by_session'
  | 'owner_by_customer_metadata'
  | 'owner_by_client_reference'
  | 'owner_by_customer';

/** Whose something is, and by what; `eventId` is of the event of its own, or of a session that names it, that said so. */
export interface Ownership {
  readonly userId: string;
  readonly rule: OwnerRule;
  readonly eventId: string | null;
}

/**
 * Whose a subscription is (DESIGN 6), the first that there is: ops' latest link; its own metadata; ops' latest link of its
 * customer; the metadata of the earliest checkout session that names it and makes such a claim; its customer's metadata;
 * the `client_reference_id` of the earliest session (sellers put referral ids there, too); its customer's owner. `null`
 * while nobody is known.
 */
export function subscriptionOwnership(claims: SubscriptionClaims, customer: CustomerWord): Ownership | null {
  const { link, observations, checkouts } = claims;
  return (
    owned('owner_by_link', link) ??
    ownedBy('owner_by_metadata', newestMetadata(observations)) ??
    owned('owner_by_customer_link', customer.link) ??
    ownedBy('owner_by_session', checkoutMetadata(checkouts)) ??
    owned('owner_by_customer_metadata', customer.metadata) ??
    ownedBy('owner_by_client_reference', clientReferences(checkouts)) ??
    owned('owner_by_customer', customer.owner)
  );
}

/** Whose a subscription is, as `subscriptionOwnership` decides it. */
export function subscriptionOwner(claims: SubscriptionClaims, customer: CustomerWord): string | null {
  return subscriptionOwnership(claims, customer)?.userId ?? null;
}

/** What tells whose a session of mode `payment` is. `link` is the latest one made by ops, `null` when none stands. */
export interface PurchaseClaims {
  readonly link: string | null;
  readonly observations: readonly CheckoutObservation[];
}

/**
 * Whose a purchase is (DESIGN 8 "Purchases"), the first that there is: ops' latest link of the session; its metadata; ops'
 * latest link of its customer; the customer's metadata; its `client_reference_id`; its customer's owner.
 */
export function purchaseOwnership(
  { link, observations }: PurchaseClaims,
  customer: CustomerWord,
): Ownership | null {
  return (
    owned('owner_by_link', link) ??
    ownedBy('owner_by_metadata', checkoutMetadata(observations)) ??
    owned('owner_by_customer_link', customer.link) ??
    owned('owner_by_customer_metadata', customer.metadata) ??
    ownedBy('owner_by_client_reference', clientReferences(observations)) ??
    owned('owner_by_customer', customer.owner)
  );
}

/** Whose a purchase is, as `purchaseOwnership` decides it. */
export function purchaseOwner(claims: PurchaseClaims, customer: CustomerWord): string | null {
  return purchaseOwnership(claims, customer)?.userId ?? null;
}

/** Claims about a purchase that say otherwise than its owner; empty while it has none. */
export function purchaseConflicts({ observations }: PurchaseClaims, owner: string | null): readonly Claim[] {
  return otherwise([...checkoutMetadata(observations), ...clientReferences(observations)], owner);
}

/**
 * What a customer says of its subscriptions. It is itself (DESIGN 6) the first that there is of: ops' latest link; its own
 * newest metadata that has a claim; its earliest checkout session's metadata, then `client_reference_id`; the earliest
 * claim of its subscriptions.
 */
export function customerWord(claims: CustomerClaims): CustomerWord {
  const metadata = customerMetadata(claims.observations);
  return { link: claims.link, metadata, owner: claims.link ?? customerClaims(claims)[0]?.userId ?? null };
}

/** The claim of a customer's newest metadata that has one. */
export function customerMetadata(observations: readonly CustomerObservation[]): string | null {
  return newestCustomerClaim(observations)[0]?.userId ?? null;
}

/** The event that said what a customer says of its subscriptions without ops' word; `null` where nothing claims it. */
export function customerSaidBy(claims: CustomerClaims): string | null {
  return customerClaims(claims)[0]?.eventId ?? null;
}

/** Claims about a subscription that say otherwise than its owner; empty while it has none. */
export function subscriptionConflicts(claims: SubscriptionClaims, owner: string | null): readonly Claim[] {
  const { observations, checkouts } = claims;
  return otherwise(
    [...newestMetadata(observations), ...checkoutMetadata(checkouts), ...clientReferences(checkouts)],
    owner,
  );
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

function owned(rule: OwnerRule, userId: string | null): Ownership | null {
  return userId === null ? null : { userId, rule, eventId: null };
}

function ownedBy(rule: OwnerRule, [first]: readonly Claim[]): Ownership | null {
  return first === undefined ? null : { ...first, rule };
}

/** Claims about a customer in the order in which they count: the first one decides. */
function customerClaims({ observations, checkouts, subscriptions }: CustomerClaims): readonly Claim[] {
  return [
    ...newestCustomerClaim(observations),
    ...checkoutMetadata(checkouts),
    ...clientReferences(checkouts),
    ...[...subscriptions].sort(compareFactOrigins).map(toSighted).flatMap(toClaim),
  ];
}

/** The claim of a subscription's own metadata: of the newest observation that has one. */
function newestMetadata(observations: readonly Observation[]): readonly Claim[] {
  const newest = orderObservations(observations).observations.findLast(({ data }) => data.userId !== null);
  return newest === undefined ? [] : toClaim(toSighted(newest));
}

function newestCustomerClaim(observations: readonly CustomerObservation[]): readonly Claim[] {
  return newestClaim([...observations].sort(compareCustomerObservations));
}

function checkoutMetadata(checkouts: readonly CheckoutObservation[]): readonly Claim[] {
  return claiming(checkouts).flatMap(({ eventId, data }) =>
    toClaim({ eventId, userId: data.metadataUserId }),
  );
}

function clientReferences(checkouts: readonly CheckoutObservation[]): readonly Claim[] {
  return claiming(checkouts).flatMap(({ eventId, data }) =>
    toClaim({ eventId, userId: data.clientReferenceId }),
  );
}

/** What of the sessions claims, the earliest first. */
function claiming(checkouts: readonly CheckoutObservation[]): readonly CheckoutObservation[] {
  return checkouts.filter(mayClaim).sort(compareFactOrigins);
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
