import type { PlanCatalog } from '../events/catalog.events.js';
import { allowsTheSame } from './access-part.js';
import type { AdoptedPrice, Judgement, Successor } from './entitlement.js';
import type { UserFacts } from './facts.js';
import { subscriptionStateOf } from './kept-states.js';
import { compareText } from './order.js';
import { changesFrom, type Moment } from './over-time.js';
import { openSubscriptionState, type SubscriptionState } from './subscription-state.js';

/** More subscriptions of one user than this are kept as they were judged. */
const FEW = 8;

/** So many changes by time alone are foreseen whatever they change: when the first comes, a user is judged anew. */
const FORESEEN = 16;

/**
 * The access policy (DESIGN 8): what a user may do at `now` (Unix milliseconds), and what that becomes at which later
 * instants if nothing but time passes: at the first 16 at which anything does, and at all later ones at which access does.
 * Pure: equal sets of facts give equal answers, whatever their order.
 */
export function judge(facts: UserFacts, catalog: PlanCatalog, now: number): Judgement {
  const open = facts.subscriptions.length > FEW ? subscriptionStateOf : openSubscriptionState;
  const subscriptionStates = facts.subscriptions
    .map((subscription) => open(subscription, catalog))
    .filter((subscriptionState) => subscriptionState !== null);
  const [present, ...successors] = withValidity(changesFrom(subscriptionStates, catalog, now, FORESEEN));
  if (present === undefined) throw new Error('a judgement without a present');
  return { entitlement: present.entitlement, successors, adoptedPrices: adoptedPrices(subscriptionStates) };
}

function adoptedPrices(subscriptionStates: readonly SubscriptionState[]): readonly AdoptedPrice[] {
  const all = subscriptionStates.flatMap((subscriptionState) =>
    subscriptionState.ended ? [] : subscriptionState.adoptedPrices,
  );
  const each = new Map(all.map((adopted) => [JSON.stringify([adopted.price, adopted.plan]), adopted]));
  return [...each.values()].sort((a, b) => compareText(a.price, b.price) || compareText(a.plan, b.plan));
}

/** Adds `validUntil`: when, by time alone, access changes next. */
function withValidity(moments: readonly Moment[]): readonly Successor[] {
  const timed: Successor[] = [];
  let later: Moment | undefined;
  let validUntil: string | null = null;
  for (const moment of [...moments].reverse()) {
    if (later !== undefined && !allowsTheSame(moment.entitlement, later.entitlement)) {
      validUntil = new Date(later.at).toISOString();
    }
    timed.push({ at: moment.at, entitlement: { ...moment.entitlement, validUntil } });
    later = moment;
  }
  return timed.reverse();
}
