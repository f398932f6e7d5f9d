import type { PlanCatalog } from '../events/catalog.events.js';
import type { Access } from './access.js';
import type { UserFacts } from './facts.js';
import { grantAccessAt, openGrant, turnsOfGrant } from './grants.js';
import { endOfOverride, type OverrideAccess, overrideAt } from './overrides.js';
import { openPurchase, purchaseAccesses } from './purchases.js';

/**
 * What counts of a user beside subscriptions: few sources, each judged anew at every instant. `turns` are the instants (Unix
 * milliseconds) at which time alone may change what they give.
 */
export interface OtherAccess {
  readonly isEmpty: boolean;
  /** What they give at an instant, Unix milliseconds. */
  readonly accessesAt: (instant: number) => readonly Access[];
  /** What is set by hand then, whatever they give. */
  readonly overridesAt: (instant: number) => readonly OverrideAccess[];
  readonly turns: readonly number[];
}

const NO_ACCESSES: readonly Access[] = [];
const NO_OVERRIDES: readonly OverrideAccess[] = [];

export const NO_OTHER_ACCESS: OtherAccess = {
  isEmpty: true,
  accessesAt: () => NO_ACCESSES,
  overridesAt: () => NO_OVERRIDES,
  turns: [],
};

/** What counts of a user beside subscriptions: purchases, which time alone never changes, grants and overrides. */
export function otherAccessOf({ purchases = [], byHand }: UserFacts, catalog: PlanCatalog): OtherAccess {
  if (purchases.length === 0 && byHand === undefined) return NO_OTHER_ACCESS;
  const bought = purchases.flatMap((facts) => {
    const purchase = openPurchase(facts, catalog);
    return purchase === null ? [] : purchaseAccesses(purchase);
  });
  if (byHand === undefined) {
    return { isEmpty: false, accessesAt: () => bought, overridesAt: () => NO_OVERRIDES, turns: [] };
  }
  const grants = byHand.grants.map((facts) => openGrant(facts, catalog));
  const { overrides } = byHand;
  const ends = overrides.flatMap((facts) => (facts.removed === null ? (endOfOverride(facts) ?? []) : []));
  return {
    isEmpty: false,
    accessesAt: (instant) => [...bought, ...grants.map((grant) => grantAccessAt(grant, instant))],
    overridesAt: (instant) => overrides.map((facts) => overrideAt(facts, catalog, instant)),
    turns: [...grants.flatMap(turnsOfGrant), ...ends],
  };
}
