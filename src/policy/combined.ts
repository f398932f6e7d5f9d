import type { PlanCatalog } from '../events/catalog.events.js';
import { type Combination, combinationOf } from './combine.js';
import type { UserFacts } from './facts.js';
import { otherAccessOf } from './other-access.js';
import { subscriptionAccessAt } from './subscription-access.js';
import { openSubscriptionState } from './subscription-state.js';

/** What all that a user has gives together at an instant, Unix milliseconds. */
export function combinationAt(facts: UserFacts, catalog: PlanCatalog, now: number): Combination {
  const states = facts.subscriptions.flatMap((each) => openSubscriptionState(each, catalog) ?? []);
  const otherAccess = otherAccessOf(facts, catalog);
  const accesses = [
    ...states.map((state) => subscriptionAccessAt(state, now / 1000)),
    ...otherAccess.accessesAt(now),
  ];
  return combinationOf(accesses, catalog, otherAccess.overridesAt(now));
}
