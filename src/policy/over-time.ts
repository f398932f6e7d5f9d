import type { PlanCatalog } from '../events/catalog.events.js';
import { AccessGroups, type Change, isSameMember, type Member, memberOf } from './access-groups.js';
import { allowsTheSame } from './access-part.js';
import { combine, type UntimedEntitlement } from './combine.js';
import { NO_OTHER_ACCESS, type OtherAccess } from './other-access.js';
import { isAtRest, subscriptionAccessAt, turningPoints } from './subscription-access.js';
import type { SubscriptionState } from './subscription-state.js';

/** What holds from `at` (Unix milliseconds) on, until the next one. */
export interface Moment {
  readonly at: number;
  readonly entitlement: UntimedEntitlement;
}

/** A subscription among those that are judged together. */
export interface Participant {
  readonly state: SubscriptionState;
}

/** A participant with what it gives now, and when it turns. */
interface OpenParticipant extends Participant {
  state: SubscriptionState;
  member: Member;
  turns: readonly Turn[];
}

/**
 * An instant (Unix milliseconds) at which a subscription turns; `datesOnly`: in nothing that access hangs on. `member` is
 * what it gives from then on, once somebody asked.
 */
interface Turn {
  readonly at: number;
  readonly participant: OpenParticipant;
  readonly datesOnly: boolean;
  member: Member | null;
}

/** An instant (Unix milliseconds) at which something turns that counts beside subscriptions. */
interface TurnBeside {
  readonly at: number;
  readonly participant: null;
}

/** Of a subscription with more turns to come nobody looks whether another state of it says the same at each. */
const FEW_TURNS = 4;

/**
 * What subscriptions, and what counts beside them, give together from `now` (Unix milliseconds) on: now, and from each later instant at which time alone
 * changes it; past the first `foreseen` changes, from those alone at which access changes.
 */
export function changesFrom(
  states: readonly SubscriptionState[],
  catalog: PlanCatalog,
  now: number,
  foreseen: number,
  otherAccess: OtherAccess = NO_OTHER_ACCESS,
): readonly Moment[] {
  if (!otherAccess.turns.some((at) => at > now) && states.every((state) => isAtRest(state, now / 1000))) {
    const accesses = states.map((state) => subscriptionAccessAt(state, now / 1000));
    const all = otherAccess.isEmpty ? accesses : [...accesses, ...otherAccess.accessesAt(now)];
    return [{ at: now, entitlement: combine(all, catalog, otherAccess.overridesAt(now)) }];
  }
  const together = new SubscriptionsOverTime(now);
  for (const state of states) together.join(state);
  return together.moments(catalog, foreseen, otherAccess);
}

/**
 * Subscriptions that are judged together: how they stand at one instant, and what time alone will change. Kept for a user
 * of many, and moved on: another state of one of them, or a later instant, costs what it is about.
 */
export class SubscriptionsOverTime {
  readonly #groups = new AccessGroups();
  /** What is to come. */
  #turns: readonly Turn[] = [];
  #isInOrder = true;

  /** At `now` (Unix milliseconds). */
  constructor(private now: number) {}

  /** Adds a subscription. */
  join(state: SubscriptionState): Participant {
    const participant: OpenParticipant = { state, member: memberAt(state, this.now), turns: [] };
    this.#groups.add(participant.member);
    this.#expect(participant);
    return participant;
  }

  /** Puts another state in the place of a participant's; tells whether what it says from now on may be another. */
  change(participant: Participant, state: SubscriptionState): boolean {
    const own = participant as OpenParticipant;
    const { member, turns } = own;
    own.state = state;
    own.member = memberAt(state, this.now);
    this.#groups.move(member, own.member);
    if (turns.length > 0) this.#turns = this.#turns.filter((turn) => turn.participant !== own);
    this.#expect(own);
    return !(isSameMember(member, own.member) && areSameTurns(turns, own.turns, this.now));
  }

  /** Moves all on to a later instant (Unix milliseconds); tells whether one of them turned. */
  passTo(now: number): boolean {
    this.now = now;
    const turns = this.#ordered();
    const passed = countPassed(turns, now);
    if (passed === 0) return false;
    this.#turns = turns.slice(passed);
    for (const turn of turns.slice(0, passed)) {
      const { participant } = turn;
      const member = memberThen(turn);
      this.#groups.move(participant.member, member);
      participant.member = member;
    }
    return true;
  }

  /** What all give together now and later. At each instant only the subscriptions that it is about are looked at. */
  moments(catalog: PlanCatalog, foreseen: number, otherAccess: OtherAccess): readonly Moment[] {
    const combined = (groups: AccessGroups, at: number): UntimedEntitlement =>
      combine([...groups.accesses(), ...otherAccess.accessesAt(at)], catalog, otherAccess.overridesAt(at));
    const moments: Moment[] = [{ at: this.now, entitlement: combined(this.#groups, this.now) }];
    const turns = withTurnsBeside(this.#ordered(), otherAccess, this.now);
    if (turns.length === 0) return moments;
    const groups = this.#groups.copy();
    const members = new Map<OpenParticipant, Member>();
    const take = (turn: Turn): Change => {
      const before = members.get(turn.participant) ?? turn.participant.member;
      const after = memberThen(turn);
      if (isSameMember(before, after)) return 'nothing';
      members.set(turn.participant, after);
      return groups.move(before, after);
    };
    /** The last turn of each subscription whose dates have moved since it was looked at. */
    const outdated = new Map<OpenParticipant, Turn>();
    const pending = new Set<Change>();
    // Of plans of one rank the one that ends last gives plan and role: access hangs on dates then.
    const areRivals = turns.length > foreseen && hasPlansOfOneRank(catalog);
    let leader = groups.leader();
    const isLedAnew = (): boolean => {
      const now = groups.leader();
      return now?.subscriptionState !== leader?.subscriptionState || now?.periodEnd !== leader?.periodEnd;
    };
    for (const [nth, turn] of turns.entries()) {
      const { at } = turn;
      const isFar = moments.length > foreseen;
      if (turn.participant === null) pending.add('access');
      else if (isFar && turn.datesOnly && !areRivals) outdated.set(turn.participant, turn);
      else {
        outdated.delete(turn.participant);
        pending.add(take(turn));
      }
      if (turns[nth + 1]?.at === at) continue;
      const mayBeLedAnew = pending.has('dates') && (!isFar || areRivals);
      if (!pending.has('access') && !(mayBeLedAnew && isLedAnew())) continue;
      for (const each of outdated.values()) take(each);
      outdated.clear();
      pending.clear();
      leader = groups.leader();
      const entitlement = combined(groups, at);
      const last = moments.at(-1)?.entitlement;
      const isSame = isFar ? allowsTheSame : isEqual;
      if (last === undefined || !isSame(last, entitlement)) moments.push({ at, entitlement });
    }
    return moments;
  }

  #expect(participant: OpenParticipant): void {
    participant.turns = turnsOf(participant, this.now);
    if (participant.turns.length === 0) return;
    this.#isInOrder = this.#turns.length === 0;
    this.#turns = this.#isInOrder ? participant.turns : this.#turns.concat(participant.turns);
  }

  #ordered(): readonly Turn[] {
    if (!this.#isInOrder) this.#turns = this.#turns.toSorted(compareTurns);
    this.#isInOrder = true;
    return this.#turns;
  }
}

function memberAt(state: SubscriptionState, now: number): Member {
  return memberOf(subscriptionAccessAt(state, now / 1000));
}

function memberThen(turn: Turn): Member {
  turn.member ??= memberAt(turn.participant.state, turn.at);
  return turn.member;
}

/** What is to come of a subscription after `now`, ascending. */
function turnsOf(participant: OpenParticipant, now: number): readonly Turn[] {
  const { access, dates } = turningPoints(participant.state, now / 1000);
  const turnAt =
    (datesOnly: boolean) =>
    (second: number): Turn => ({ at: toInstant(second), participant, datesOnly, member: null });
  return [...access.map(turnAt(false)), ...dates.map(turnAt(true))].sort(compareTurns);
}

function toInstant(second: number): number {
  return Math.ceil(second * 1000);
}

/** The turns of subscriptions and of what counts beside them after `now`, ascending. */
function withTurnsBeside(
  turns: readonly Turn[],
  otherAccess: OtherAccess,
  now: number,
): readonly (Turn | TurnBeside)[] {
  const others = otherAccess.turns
    .filter((at) => at > now)
    .map((at): TurnBeside => ({ at, participant: null }));
  return others.length === 0 ? turns : [...turns, ...others].sort(compareTurns);
}

function compareTurns(a: Pick<Turn, 'at'>, b: Pick<Turn, 'at'>): number {
  return a.at - b.at;
}

function countPassed(turns: readonly Turn[], now: number): number {
  const next = turns.findIndex(({ at }) => at > now);
  return next < 0 ? turns.length : next;
}

/** Whether a subscription turns as it did, as far as that is to come and easily seen. */
function areSameTurns(before: readonly Turn[], after: readonly Turn[], now: number): boolean {
  const left = before.filter(({ at }) => at > now);
  return (
    after.length <= FEW_TURNS &&
    left.length === after.length &&
    left.every((turn, nth) => {
      const other = after[nth];
      return (
        other?.at === turn.at &&
        other.datesOnly === turn.datesOnly &&
        // What nobody asked the other state for, it can not be asked any more: its facts have grown.
        turn.member !== null &&
        isSameMember(turn.member, memberThen(other))
      );
    })
  );
}

function hasPlansOfOneRank({ plans }: PlanCatalog): boolean {
  const all = Object.values(plans);
  return new Set(all.map(({ rank }) => rank)).size < all.length;
}

/** Entitlements are built with their keys in one order, so equal texts are equal values. */
function isEqual(a: UntimedEntitlement, b: UntimedEntitlement): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
