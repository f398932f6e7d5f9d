import type { PlanCatalog } from '../events/catalog.events.js';
import type { CheckoutObservation, SubscriptionFacts } from './facts.js';
import { isGrowing } from './growing.js';
import { openSubscriptionState, type SubscriptionState } from './subscription-state.js';

/** An account, and of how many facts under which catalogue it was made. */
interface Opened {
  readonly catalog: PlanCatalog;
  readonly observations: number;
  readonly invoices: readonly object[];
  readonly invoiceCount: number;
  readonly checkouts: readonly CheckoutObservation[];
  readonly customerDeleted: boolean;
  readonly subscriptionState: SubscriptionState | null;
}

const opened = new WeakMap<readonly object[], Opened>();

/**
 * The account of a subscription, as `openAccount` makes it: kept while its facts, in lists that only grow, and the
 * catalogue stay as they are.
 */
export function subscriptionStateOf(
  facts: SubscriptionFacts,
  catalog: PlanCatalog,
): SubscriptionState | null {
  const { observations, invoices, checkouts, customerDeleted } = facts;
  if (!isGrowing(observations) || !isGrowing(invoices)) return openSubscriptionState(facts, catalog);
  const kept = opened.get(observations);
  if (kept !== undefined && kept.catalog === catalog && isOf(kept, facts)) return kept.subscriptionState;
  const subscriptionState = openSubscriptionState(facts, catalog);
  opened.set(observations, {
    catalog,
    observations: observations.length,
    invoices,
    invoiceCount: invoices.length,
    checkouts,
    customerDeleted,
    subscriptionState: subscriptionState,
  });
  return subscriptionState;
}

function isOf(
  kept: Opened,
  { observations, invoices, checkouts, customerDeleted }: SubscriptionFacts,
): boolean {
  return (
    kept.observations === observations.length &&
    kept.invoices === invoices &&
    kept.invoiceCount === invoices.length &&
    kept.customerDeleted === customerDeleted &&
    kept.checkouts.length === checkouts.length &&
    kept.checkouts.every((checkout, index) => checkout === checkouts[index])
  );
}
