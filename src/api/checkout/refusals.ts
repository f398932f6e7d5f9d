import type { PlanCatalog } from '../../events/catalog.events.js';
import { ProblemError } from '../../http/problem.js';
import { orderOfChoice } from '../../plans/plan-order.js';
import type { Snapshot } from '../../projections/entitlements/snapshot.js';
import { choiceHeld, type Held } from './held.js';
import type { Offer } from './offer.js';
import type { Wanted } from './wanted.js';

/** What is surely less than what a subscription gives, before Stripe is asked anything. @throws ProblemError `plan_change_needed` */
export function refuseLess({ of, plan }: Offer, catalog: PlanCatalog, snapshot: Snapshot): void {
  const held = catalog.plans[snapshot.plan];
  if (snapshot.subscriptionActive && held !== undefined && of.rank < held.rank) throw isLess(plan);
}

/** What is held already, is less, or waits for a payment. @throws ProblemError `already_held`, `plan_change_needed`, `payment_due` */
export function refuseHeld(
  wanted: Wanted,
  held: Held | null,
  snapshot: Snapshot,
  catalog: PlanCatalog,
): void {
  const { offer, choice } = wanted;
  if (snapshot.source?.type === 'purchase' && offer.of.rank <= (catalog.plans[snapshot.plan]?.rank ?? -1)) {
    throw new ProblemError('already_held', `The user has the plan "${snapshot.plan}" for good.`);
  }
  if (held === null) return;
  if (held.subscription.status === 'past_due') {
    throw new ProblemError(
      'payment_due',
      'The subscription has an unpaid invoice: that is to be paid first.',
    );
  }
  const has = choiceHeld(held);
  const order = has === null ? 'more' : orderOfChoice(choice, has);
  if (order === 'less') throw isLess(offer.plan);
  if (order === 'same') {
    throw new ProblemError('already_held', 'The subscription has this plan, interval, quantity and add-ons.');
  }
}

function isLess(plan: string): ProblemError {
  return new ProblemError(
    'plan_change_needed',
    `"${plan}" is less than what the user has: change it by PATCH /v1/users/{id}/plan.`,
  );
}
