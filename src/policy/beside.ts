import type { PlanCatalog } from '../events/catalog.events.js';
import type { Access } from './access.js';
import type { UserFacts } from './facts.js';
import { openPurchase, purchaseAccesses } from './purchases.js';

/**
 * What counts of a user beside subscriptions: few sources, each judged anew at every instant. `turns` are the instants (Unix
 * milliseconds, ascending) at which time alone may change what they give.
 */
export interface Beside {
  readonly isEmpty: boolean;
  /** What they give at an instant, Unix milliseconds. */
  readonly accessesAt: (instant: number) => readonly Access[];
  readonly turns: readonly number[];
}

export const NOTHING_BESIDE: Beside = { isEmpty: true, accessesAt: () => [], turns: [] };

/** What counts of a user beside subscriptions: purchases, which time alone never changes. */
export function besideOf({ purchases = [] }: UserFacts, catalog: PlanCatalog): Beside {
  if (purchases.length === 0) return NOTHING_BESIDE;
  const accesses = purchases.flatMap((facts) => {
    const purchase = openPurchase(facts, catalog);
    return purchase === null ? [] : purchaseAccesses(purchase);
  });
  return { isEmpty: false, accessesAt: () => accesses, turns: [] };
}
