import type { CheckoutObservation, FactOrigin } from '../facts.js';
import {
  type Claim,
  type CustomerClaims,
  type CustomerWord,
  customerSaidBy,
  NO_CUSTOMER,
  type Ownership,
  type PurchaseClaims,
  purchaseConflicts,
  purchaseOwnership,
  type SubscriptionClaims,
  subscriptionConflicts,
  subscriptionOwnership,
} from '../ownership.js';
import { type Reason, reasonOf, timeOf } from './reason.js';

/**
 * What tells whose a subscription or purchase is: what is known of it, and what its customer says, `claims` being what that
 * hangs on as far as it was read.
 */
export type OwnedThing = {
  readonly id: string;
  readonly customer: {
    readonly id: string;
    readonly word: CustomerWord;
    readonly claims: CustomerClaims;
  } | null;
} & (
  | { readonly kind: 'subscription'; readonly claims: SubscriptionClaims }
  | { readonly kind: 'purchase'; readonly claims: PurchaseClaims }
);

/** Why each subscription or purchase belongs to whom it does, by id. */
export function ownerReasons(things: readonly OwnedThing[]): readonly Reason[] {
  return [...things].sort((a, b) => (a.id < b.id ? -1 : 1)).map(ownerReason);
}

function ownerReason(thing: OwnedThing): Reason {
  const ownership = ownershipOf(thing);
  const { customer } = thing;
  const of = `owner:${thing.id}`;
  if (ownership === null) {
    return reasonOf(of, 'owner_unknown', { facts: { subject: thing.id, owner: null }, events: [] });
  }
  const told = toldOf(thing, ownership);
  const others = othersOf(thing, ownership.userId);
  const facts = {
    subject: thing.id,
    owner: ownership.userId,
    customer: customer?.id ?? null,
    session: sessionsOf(thing).find(({ eventId }) => eventId === ownership.eventId)?.data.session ?? null,
    saidOn: timeOf(told),
    others: others.length === 0 ? null : others.map(({ userId }) => userId),
  };
  const events = [...(told === null ? [] : [told.eventId]), ...others.map(({ eventId }) => eventId)];
  return reasonOf(of, ownership.rule, { facts, events });
}

/** Whose a subscription or purchase is, and by what; `null` while nobody is known. */
export function ownershipOf(thing: OwnedThing): Ownership | null {
  const word = thing.customer?.word ?? NO_CUSTOMER;
  return thing.kind === 'purchase'
    ? purchaseOwnership(thing.claims, word)
    : subscriptionOwnership(thing.claims, word);
}

function othersOf(thing: OwnedThing, owner: string): readonly Claim[] {
  return thing.kind === 'purchase'
    ? purchaseConflicts(thing.claims, owner)
    : subscriptionConflicts(thing.claims, owner);
}

/** The fact that said it; `null` of what was said by hand, and of what was not read. */
function toldOf(thing: OwnedThing, { rule, eventId }: Ownership): FactOrigin | null {
  const { customer } = thing;
  const isOfCustomer = rule === 'owner_by_customer_metadata' || rule === 'owner_by_customer';
  const said = isOfCustomer && customer !== null ? customerSaidBy(customer.claims) : eventId;
  const { claims } = customer ?? { claims: null };
  const all: readonly FactOrigin[] = [
    ...thing.claims.observations,
    ...sessionsOf(thing),
    ...(claims === null ? [] : [...claims.observations, ...claims.checkouts, ...claims.subscriptions]),
  ];
  return all.find((fact) => fact.eventId === said) ?? null;
}

function sessionsOf(thing: OwnedThing): readonly CheckoutObservation[] {
  return thing.kind === 'purchase' ? thing.claims.observations : thing.claims.checkouts;
}
