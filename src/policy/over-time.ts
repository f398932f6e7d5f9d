import type { PlanCatalog } from '../events/catalog.events.js';
import { allowsTheSame } from './access-part.js';
import { combine, type UntimedEntitlement } from './combine.js';
import { type Change, Crowd } from './crowd.js';
import { subscriptionAccessAt, turningPoints } from './subscription-access.js';
import type { SubscriptionState } from './subscription-state.js';

/** What holds from `at` (Unix milliseconds) on, until the next one. */
export interface Moment {
  readonly at: number;
  readonly entitlement: UntimedEntitlement;
}

/** An instant (Unix milliseconds) at which a subscription turns; `datesOnly`: in nothing that access hangs on. */
interface Turn {
  readonly at: number;
  readonly index: number;
  readonly datesOnly: boolean;
}

/**
 * What subscriptions give together from `now` (Unix milliseconds) on: now, and from each later instant at which time alone
 * changes it; past the first `foreseen` changes, from those alone at which access changes. At each instant only the
 * subscriptions that it is about are looked at.
 */
export function changesFrom(
  subscriptionStates: readonly SubscriptionState[],
  catalog: PlanCatalog,
  now: number,
  foreseen: number,
): readonly Moment[] {
  const crowd = new Crowd(
    subscriptionStates.map((subscriptionState) => subscriptionAccessAt(subscriptionState, now / 1000)),
  );
  const moments: Moment[] = [{ at: now, entitlement: combine(crowd.standings(), catalog) }];
  const turns = turnsOf(subscriptionStates, now);
  /** Subscriptions whose dates have moved since they were looked at. */
  const outdated = new Set<number>();
  const moveTo = (index: number, at: number): Change => {
    const subscriptionState = subscriptionStates[index];
    return subscriptionState === undefined
      ? 'nothing'
      : crowd.move(index, subscriptionAccessAt(subscriptionState, at / 1000));
  };
  const pending = new Set<Change>();
  let leader = crowd.leader();
  const isLedAnew = (): boolean => {
    const now = crowd.leader();
    return now?.subscriptionState !== leader?.subscriptionState || now?.periodEnd !== leader?.periodEnd;
  };
  for (const [nth, { at, index, datesOnly }] of turns.entries()) {
    const isFar = moments.length > foreseen;
    if (isFar && datesOnly) outdated.add(index);
    else pending.add(moveTo(index, at));
    if (turns[nth + 1]?.at === at) continue;
    if (!pending.has('access') && (isFar || !pending.has('dates') || !isLedAnew())) continue;
    for (const each of outdated) moveTo(each, at);
    outdated.clear();
    pending.clear();
    leader = crowd.leader();
    const entitlement = combine(crowd.standings(), catalog);
    const last = moments.at(-1)?.entitlement;
    const isSame = isFar ? allowsTheSame : isEqual;
    if (last === undefined || !isSame(last, entitlement)) moments.push({ at, entitlement });
  }
  return moments;
}

function turnsOf(subscriptionStates: readonly SubscriptionState[], now: number): readonly Turn[] {
  const turns: Turn[] = [];
  for (const [index, account] of subscriptionStates.entries()) {
    const { access, dates } = turningPoints(account);
    for (const second of access) addTurn(turns, { at: toInstant(second), index, datesOnly: false }, now);
    for (const second of dates) addTurn(turns, { at: toInstant(second), index, datesOnly: true }, now);
  }
  return turns.sort((a, b) => a.at - b.at);
}

function addTurn(turns: Turn[], turn: Turn, now: number): void {
  if (turn.at > now) turns.push(turn);
}

function toInstant(second: number): number {
  return Math.ceil(second * 1000);
}

/** Entitlements are built with their keys in one order, so equal texts are equal values. */
function isEqual(a: UntimedEntitlement, b: UntimedEntitlement): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
