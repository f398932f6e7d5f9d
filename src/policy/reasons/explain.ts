import type { PlanCatalog } from '../../events/catalog.events.js';
import { type Combination, combinationOf } from '../combine.js';
import type { Entitlement } from '../entitlement.js';
import type { UserFacts } from '../facts.js';
import { grantAccessAt, openGrant } from '../grants.js';
import { judge } from '../judge.js';
import { compareText } from '../order.js';
import { overrideAt } from '../overrides.js';
import { openPurchase, purchaseAccesses } from '../purchases.js';
import { subscriptionAccessAt } from '../subscription-access.js';
import { openSubscriptionState, type SubscriptionState } from '../subscription-state.js';
import { grantReason, overrideReason } from './by-hand-reasons.js';
import { keyReasons, reasonsForKey } from './key-reasons.js';
import { type OwnedThing, ownerReasons } from './owner-reasons.js';
import { planReason, statusReason } from './plan-reasons.js';
import { purchaseReason } from './purchase-reasons.js';
import { readingReasons } from './reading-reasons.js';
import type { Reason } from './reason.js';
import { returnedReasons } from './returned-evidence.js';
import { type Explained, subscriptionReasons } from './subscription-reasons.js';
import { timeReasons } from './time-reasons.js';
import { pendingPaymentReason } from './waiting-reason.js';

/**
 * Facts of a user that are to be explained. `deletedBy` is the event that told of the deletion of each customer that was
 * deleted, by customer: no fact of a subscription names it. `things` are the subscriptions and purchases that are the user's,
 * or that were ever said to be, with what tells whose they are; made when it is asked for.
 */
export interface ExplainableFacts extends UserFacts {
  readonly deletedBy: ReadonlyMap<string, string>;
  readonly things: () => readonly OwnedThing[];
}

/** What holds, and why: a reason for each part of the snapshot, and for each subscription, purchase, grant and override whether it counts or not, and for each invoice whose money was asked back. */
export interface Explanation {
  readonly entitlement: Entitlement;
  readonly reasons: readonly Reason[];
}

/**
 * The access policy, explained (DESIGN 8 "Reasons"): the entitlement that `judge` says at `now` (Unix milliseconds), with the
 * rule that decided each part of it. Pure: equal sets of facts give equal answers.
 */
export function explain(facts: ExplainableFacts, catalog: PlanCatalog, now: number): Explanation {
  const { entitlement, explained, combination, states } = decided(facts, catalog, now);
  return {
    entitlement,
    reasons: [
      planReason(combination, explained),
      statusReason(combination, explained),
      ...keyReasons(combination),
      ...pendingPaymentReason(combination),
      ...timeReasons(combination, entitlement, explained, now),
      ...explained.map(({ reason }) => reason),
      ...states.flatMap(readingReasons),
      ...ownerReasons(facts.things()),
      ...returnedReasons(states.map(({ returned }) => returned)),
      ...combination.overrides.map((override) => overrideReason(override, combination)),
    ],
  };
}

/** Why a user may use a feature or a limited thing, or may not: the reasons that bear on one key of the catalogue. */
export function explainKey(
  facts: ExplainableFacts,
  catalog: PlanCatalog,
  now: number,
  key: string,
): Explanation {
  const { entitlement, explained, combination } = decided(facts, catalog, now);
  return {
    entitlement,
    reasons: [
      ...reasonsForKey(combination, explained, catalog, key),
      planReason(combination, explained),
      statusReason(combination, explained),
      ...pendingPaymentReason(combination),
      ...explained.map(({ reason }) => reason),
      ...ownerReasons(facts.things()),
      ...combination.overrides
        .filter(({ facts: set }) => set.key === key)
        .map((override) => overrideReason(override, combination)),
    ],
  };
}

function decided(
  facts: ExplainableFacts,
  catalog: PlanCatalog,
  now: number,
): {
  readonly entitlement: Entitlement;
  readonly explained: readonly Explained[];
  readonly combination: Combination;
  /** Those of the subscriptions that were seen themselves. */
  readonly states: readonly SubscriptionState[];
} {
  const subscriptions = [...facts.subscriptions].sort((a, b) => compareText(a.subscription, b.subscription));
  const states = subscriptions.flatMap((each) => openSubscriptionState(each, catalog) ?? []);
  const accesses = states.map((state) => subscriptionAccessAt(state, now / 1000));
  const purchases = [...(facts.purchases ?? [])]
    .sort((a, b) => compareText(a.session, b.session))
    .flatMap((each) => openPurchase(each, catalog) ?? [])
    .map((purchase) => ({
      id: purchase.session,
      accesses: purchaseAccesses(purchase),
      reason: purchaseReason(purchase),
    }));
  const { grants = [], overrides = [] } = facts.byHand ?? {};
  const granted = [...grants]
    .sort((a, b) => compareText(a.grant, b.grant))
    .map((each) => grantAccessAt(openGrant(each, catalog), now))
    .map((access) => ({ id: access.grant.facts.grant, accesses: [access], reason: grantReason(access) }));
  const set = [...overrides]
    .sort((a, b) => compareText(a.key, b.key) || compareText(a.kind, b.kind))
    .map((each) => overrideAt(each, catalog, now));
  const beside: readonly Explained[] = [...purchases, ...granted];
  return {
    entitlement: judge(facts, catalog, now).entitlement,
    states,
    explained: [...subscriptionReasons(subscriptions, accesses, now / 1000, facts.deletedBy), ...beside],
    combination: combinationOf([...accesses, ...beside.flatMap((each) => each.accesses)], catalog, set),
  };
}
