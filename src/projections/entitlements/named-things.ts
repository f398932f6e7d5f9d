import type { DomainEvent } from '../../events/event-types.js';
import { subscriptionsOfLines } from '../../events/invoice.events.js';
import { paymentIds } from '../../events/payment.events.js';
import { subjectOf } from './event-subject.js';
import { isPaymentEvent } from './payment-facts.js';

/** Kinds of things by which facts are joined: what is said of one may count for another. */
export const THING_KINDS = ['user', 'subscription', 'customer', 'session', 'payment', 'invoice'] as const;
export type ThingKind = (typeof THING_KINDS)[number];

/** Something that an event names, by its id; of a payment by any of its ids. */
export interface NamedThing {
  readonly kind: ThingKind;
  readonly id: string;
}

/** What an event names of all by which facts are joined, in no order, perhaps repeated. Catalogues name nothing. */
export function thingsNamedBy(event: DomainEvent): readonly NamedThing[] {
  const { type, data } = event;
  switch (type) {
    case 'PlanCatalogPublished':
    case 'EventSkipped':
    case 'AuditAccessed':
    case 'UserErased':
    case 'UserReadmitted':
      return [];
  }
  const { subscription, customer, session } = subjectOf(event);
  const users = [
    'userId' in data ? data.userId : null,
    ...('metadataUserId' in data ? [data.metadataUserId, data.clientReferenceId] : []),
  ];
  const subscriptions = [subscription, ...('lines' in data ? subscriptionsOfLines(data) : [])];
  return [
    ...named('user', users),
    ...named('subscription', subscriptions),
    ...named('customer', [customer]),
    ...named('session', [session]),
    ...named('payment', paymentsIn(event)),
    ...named('invoice', ['invoice' in data ? data.invoice : null]),
  ];
}

function paymentsIn(event: DomainEvent): readonly (string | null)[] {
  if (isPaymentEvent(event)) return paymentIds(event.data);
  const { data } = event;
  if (!('paymentIntent' in data)) return [];
  return [data.paymentIntent, 'charge' in data ? data.charge : null];
}

function named(kind: ThingKind, ids: readonly (string | null)[]): readonly NamedThing[] {
  return ids.flatMap((id) => (id === null ? [] : [{ kind, id }]));
}
