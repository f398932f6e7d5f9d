import type { PlanCatalog } from '../events/catalog.events.js';
import type { SubscriptionFacts } from './facts.js';
import { isGrowing } from './growing-list.js';
import { openSubscriptionState, type SubscriptionState } from './subscription-state.js';

/** The state of a subscription, and of how many facts it was made. */
export interface KeptState {
  readonly facts: Omit<SubscriptionFacts, 'subscription'>;
  readonly observationCount: number;
  readonly invoiceCount: number;
  readonly paymentCount: number;
  readonly state: SubscriptionState | null;
}

/** The state that facts make under a catalogue, with what tells later whether they still do. */
export function openKeptState(facts: SubscriptionFacts, catalog: PlanCatalog): KeptState {
  const { observations, invoices, checkouts, payments, customerDeleted } = facts;
  return {
    // Whoever keeps facts goes on changing them: what is compared later is what they were.
    facts: { observations, invoices, checkouts: [...checkouts], payments, customerDeleted },
    observationCount: isGrowing(observations) ? observations.length : Number.NaN,
    invoiceCount: isGrowing(invoices) ? invoices.length : Number.NaN,
    paymentCount: isGrowing(payments) ? payments.length : Number.NaN,
    state: openSubscriptionState(facts, catalog),
  };
}

/** Whether a state is made of these facts: of the same lists, which only grow and have not. */
export function isMadeOf(kept: KeptState, facts: SubscriptionFacts): boolean {
  const { observations, invoices, checkouts, payments, customerDeleted } = kept.facts;
  return (
    observations === facts.observations &&
    kept.observationCount === observations.length &&
    invoices === facts.invoices &&
    kept.invoiceCount === invoices.length &&
    payments === facts.payments &&
    kept.paymentCount === payments.length &&
    customerDeleted === facts.customerDeleted &&
    checkouts.length === facts.checkouts.length &&
    checkouts.every((checkout, index) => checkout === facts.checkouts[index])
  );
}
