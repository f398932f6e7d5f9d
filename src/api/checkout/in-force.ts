import type { PlanCatalog } from '../../events/catalog.events.js';
import type { CheckoutStartedData } from '../../events/checkout.events.js';
import type { Snapshot } from '../../projections/entitlements/snapshot.js';
import type { UserSubscription } from '../../projections/read-models/user-facts.reader.js';

/**
 * Whether a user has what a checkout was begun for: the snapshot gives the plan or a higher one and waits for no payment, and
 * of what is paid again and again a subscription holds the units and add-ons.
 */
export function isInForce(
  started: CheckoutStartedData,
  snapshot: Pick<Snapshot, 'plan' | 'pendingPayment'>,
  subscriptions: readonly UserSubscription[],
  catalog: PlanCatalog,
): boolean {
  const rank = (plan: string): number => catalog.plans[plan]?.rank ?? Number.NEGATIVE_INFINITY;
  if (snapshot.plan !== started.plan && rank(snapshot.plan) <= rank(started.plan)) return false;
  if (started.mode === 'payment') return true;
  if (snapshot.pendingPayment !== null) return false;
  const wanted = [{ price: started.price, quantity: started.quantity }, ...started.addons];
  return subscriptions.some(
    ({ subscription, items }) =>
      (started.subscription === null || subscription === started.subscription) &&
      wanted.every(({ price, quantity }) =>
        items.some((item) => item.price === price && (item.quantity ?? quantity) >= quantity),
      ),
  );
}
