import type { DomainEvent } from '../../events/event-types.js';

/** What an event is about: what must be in memory before it is folded. */
export interface Subject {
  readonly subscription: string | null;
  readonly customer: string | null;
  readonly session: string | null;
}

/** What an event is about. */
export function subjectOf({ type, data }: DomainEvent): Subject {
  if (type === 'PlanCatalogPublished') return { subscription: null, customer: null, session: null };
  return {
    subscription: 'subscription' in data ? data.subscription : null,
    customer: 'customer' in data ? data.customer : null,
    session: 'session' in data ? data.session : null,
  };
}

/** Ids of an event that become columns. */
export function idsOf(event: DomainEvent): readonly (string | null)[] {
  const { type, data } = event;
  if (type === 'PlanCatalogPublished' || type === 'EventSkipped') return [];
  const { subscription, customer, session } = subjectOf(event);
  const grant = 'grant' in data ? data.grant : null;
  return [subscription, customer, session, grant, 'key' in data ? data.key : null];
}
