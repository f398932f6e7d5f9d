import type { PlanCatalog } from '../events/catalog.events.js';
import { allowsTheSame } from './access-part.js';
import type { AdoptedPrice, Judgement, Successor } from './entitlement.js';
import type { UserFacts } from './facts.js';
import { KeptUser } from './kept-users.js';
import { compareText } from './order.js';
import { type OtherAccess, otherAccessOf } from './other-access.js';
import { changesFrom, type Moment } from './over-time.js';
import { openSubscriptionState, type SubscriptionState } from './subscription-state.js';

/** More subscriptions of one user than this are kept as they were judged. */
const FEW = 8;

/** Count of changes by time alone that are foreseen whatever they change: when the first comes, a user is judged anew. */
const FORESEEN = 16;

/**
 * The access policy (DESIGN 8): what a user may do at `now` (Unix milliseconds), and what that becomes at which later
 * instants if nothing but time passes: at the first 16 at which anything does, and at all later ones at which access does.
 * Pure: equal sets of facts give equal answers, whatever their order.
 */
export function judge(facts: UserFacts, catalog: PlanCatalog, now: number): Judgement {
  const otherAccess = otherAccessOf(facts, catalog);
  if (facts.subscriptions.length > FEW) return judgeMany(facts, otherAccess, catalog, now);
  keptUsers.delete(facts); // of whom they were many before
  const states = facts.subscriptions
    .map((subscription) => openSubscriptionState(subscription, catalog))
    .filter((state) => state !== null);
  return judgementOf(changesFrom(states, catalog, now, FORESEEN, otherAccess), states);
}

/** How users of many subscriptions were judged, by the object that their facts come in. */
const keptUsers = new WeakMap<UserFacts, KeptJudgement>();

/** A judgement that may be given again; not one that others than subscriptions had a part in. */
interface KeptJudgement {
  readonly user: KeptUser;
  readonly judgement: Judgement;
  readonly isOfSubscriptionsAlone: boolean;
}

function judgeMany(facts: UserFacts, otherAccess: OtherAccess, catalog: PlanCatalog, now: number): Judgement {
  const { subscriptions } = facts;
  const kept = keptUsers.get(facts);
  keptUsers.delete(facts); // what fails half-way is not gone on from
  const outcome = kept?.user.goOn(subscriptions, catalog, now) ?? 'lost';
  const user =
    kept === undefined || outcome === 'lost' ? KeptUser.of(subscriptions, catalog, now) : kept.user;
  const isSame = outcome === 'same' && otherAccess.isEmpty && kept?.isOfSubscriptionsAlone === true;
  const judgement =
    kept !== undefined && isSame
      ? kept.judgement
      : judgementOf(user.moments(FORESEEN, otherAccess), user.states);
  keptUsers.set(facts, { user, judgement, isOfSubscriptionsAlone: otherAccess.isEmpty });
  return judgement;
}

/** What is kept of each subscription of a user of many; bytes, measured: 4,800 to 8,300. */
const SUBSCRIPTION_BYTES = 6_500;

/** Bytes of what is kept of how a user was judged. */
export function keptJudgementBytes(facts: UserFacts): number {
  return keptUsers.has(facts) ? facts.subscriptions.length * SUBSCRIPTION_BYTES : 0;
}

function judgementOf(moments: readonly Moment[], states: readonly SubscriptionState[]): Judgement {
  const [only, next] = moments;
  if (only !== undefined && next === undefined) {
    const entitlement = { ...only.entitlement, validUntil: null };
    return { entitlement, successors: [], adoptedPrices: adoptedPrices(states) };
  }
  const [present, ...successors] = withValidity(moments);
  if (present === undefined) throw new Error('a judgement without a present');
  return { entitlement: present.entitlement, successors, adoptedPrices: adoptedPrices(states) };
}

function adoptedPrices(subscriptionStates: readonly SubscriptionState[]): readonly AdoptedPrice[] {
  const all = subscriptionStates.flatMap((subscriptionState) =>
    subscriptionState.ended ? [] : subscriptionState.adoptedPrices,
  );
  if (all.length === 0) return all;
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
