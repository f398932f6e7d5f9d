import type { PendingPayment } from './entitlement.js';
import { compareGiving, givesPlan } from './giving.js';
import { compareText } from './order.js';
import { pendingPaymentOf } from './pending-payment.js';
import type { SubscriptionAccess } from './subscription-access.js';
import type { HeldAddon, SubscriptionState } from './subscription-state.js';

/** The access of a subscription, with what of it access hangs on beside its add-ons, and the group it is in. */
export interface Member {
  readonly subscriptionAccess: SubscriptionAccess;
  readonly access: string;
  readonly group: string;
}

/** Members that say the same to `combine`: it is shown the first of them by either order, with the add-ons of all. */
interface Group {
  readonly members: Set<Member>;
  /** Those that give a plan. */
  readonly byEnd: Member[];
  /** Those that say a word. */
  readonly bySight: Member[];
  /** Units of all by price. */
  readonly addons: Map<string, HeldAddon>;
}

/** Whether a member is the first of its group by either order, and whether it has none beside it. */
interface Place {
  readonly givesFirst: boolean;
  readonly speaksFirst: boolean;
  readonly alone: boolean;
}

/** What may become another: what is allowed; or only until when, by whom and whose; or nothing. */
export type Change = 'access' | 'dates' | 'nothing';

/** Accesses of many subscriptions, of which `combine` is shown no more than can make a difference. */
export class AccessGroups {
  readonly #groups = new Map<string, Group>();

  /** A copy with the same members. */
  copy(): AccessGroups {
    const copy = new AccessGroups();
    for (const [key, { members, byEnd, bySight, addons }] of this.#groups) {
      copy.#groups.set(key, {
        members: new Set(members),
        byEnd: byEnd.slice(),
        bySight: bySight.slice(),
        addons: new Map(addons),
      });
    }
    return copy;
  }

  /** Puts one member in the place of another; tells what of that all give together may become another. */
  move(before: Member, after: Member): Change {
    const left = this.#remove(before);
    const joined = this.add(after);
    const hasSameUnits = hasSameAddons(before.subscriptionAccess, after.subscriptionAccess);
    const dates = left.givesFirst || joined.givesFirst ? 'dates' : 'nothing';
    if (before.access === after.access && hasSameUnits) return dates;
    const isOther =
      !hasSameUnits ||
      before.group === after.group ||
      [left, joined].some(({ alone, speaksFirst }) => alone || speaksFirst);
    return isOther ? 'access' : dates;
  }

  accesses(): readonly SubscriptionAccess[] {
    return [...this.#groups.values()].flatMap(({ members, byEnd: [first], bySight: [seenLast], addons }) => {
      const [shown = firstOf(members), ...others] = [first, seenLast].filter((each) => each !== undefined);
      if (shown === undefined) return [];
      if (members.size === 1) return [shown.subscriptionAccess];
      return [
        { ...shown.subscriptionAccess, addons: [...addons.values()] },
        ...others
          .filter((other) => other !== shown)
          .map(({ subscriptionAccess: access }) => ({ ...access, addons: [] })),
      ];
    });
  }

  /** The one that `combine` takes the plan of, unless the default plan ranks above it. */
  leader(): SubscriptionAccess | null {
    let leader: SubscriptionAccess | null = null;
    for (const { byEnd } of this.#groups.values()) {
      const first = byEnd[0]?.subscriptionAccess;
      if (first === undefined || !givesPlan(first)) continue;
      if (leader === null || !givesPlan(leader) || compareGiving(first, leader) < 0) leader = first;
    }
    return leader;
  }

  /** Adds a member, and tells its place. */
  add(member: Member): Place {
    const { members, byEnd, bySight, addons } = this.#group(member.group);
    members.add(member);
    addUnits(addons, member.subscriptionAccess.addons, 1);
    const givesFirst = givesPlan(member.subscriptionAccess) && insert(byEnd, member, compareEnds) === 0;
    const speaksFirst = speaks(member) && insert(bySight, member, compareSights) === 0;
    return { givesFirst, speaksFirst, alone: members.size === 1 };
  }

  #remove(member: Member): Place {
    const { members, byEnd, bySight, addons } = this.#group(member.group);
    members.delete(member);
    addUnits(addons, member.subscriptionAccess.addons, -1);
    const givesFirst = givesPlan(member.subscriptionAccess) && take(byEnd, member, compareEnds) === 0;
    const speaksFirst = speaks(member) && take(bySight, member, compareSights) === 0;
    if (members.size === 0) this.#groups.delete(member.group);
    return { givesFirst, speaksFirst, alone: members.size === 0 };
  }

  #group(key: string): Group {
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const group = { members: new Set<Member>(), byEnd: [], bySight: [], addons: new Map() };
    this.#groups.set(key, group);
    return group;
  }
}

function firstOf(members: ReadonlySet<Member>): Member | undefined {
  return members.values().next().value;
}

function speaks({ subscriptionAccess: access }: Member): boolean {
  return access.word !== null;
}

/** `combine` asks no more of those of one group than which is first, and how many add-ons they hold. */
export function memberOf(subscriptionAccess: SubscriptionAccess): Member {
  const { subscriptionState: account, access, plan, units, status, word } = subscriptionAccess;
  const isSpecial = account.awaited !== null || (!account.ended && account.unmappedPrices.length > 0);
  const of = `${access}\n${status}\n${word}\n${units}\n${plan?.name ?? ''}`;
  return { subscriptionAccess, access: of, group: isSpecial ? account.subscription : of };
}

/** Whether two accesses of one subscription are the same to `combine`, when it was seen last included. */
export function isSameMember(a: Member, b: Member): boolean {
  const [before, after] = [a.subscriptionAccess, b.subscriptionAccess];
  const { subscriptionState: earlier } = before;
  const { subscriptionState: later } = after;
  return (
    a.access === b.access &&
    before.periodEnd === after.periodEnd &&
    hasSameAddons(before, after) &&
    (earlier === later ||
      ((isSilent(a, b) || earlier.newest.created === later.newest.created) && isSameOutside(earlier, later)))
  );
}

/** Who says no word is not asked when it was seen. */
function isSilent(...members: readonly Member[]): boolean {
  return !members.some(speaks);
}

/** Whether two states of one subscription tell the same beside what they give. */
function isSameOutside(a: SubscriptionState, b: SubscriptionState): boolean {
  return (
    a.customer === b.customer &&
    a.cancelAt === b.cancelAt &&
    a.ended === b.ended &&
    a.firstWaits === b.firstWaits &&
    JSON.stringify([awaitedBy(a), a.unmappedPrices, a.adoptedPrices]) ===
      JSON.stringify([awaitedBy(b), b.unmappedPrices, b.adoptedPrices])
  );
}

function awaitedBy({ awaited }: SubscriptionState): PendingPayment | null {
  return awaited === null ? null : pendingPaymentOf(awaited);
}

function hasSameAddons(
  { addons: before }: SubscriptionAccess,
  { addons: after }: SubscriptionAccess,
): boolean {
  return (
    before.length === after.length &&
    before.every(({ name, price, units }, n) => {
      const other = after[n];
      return other?.name === name && other.price === price && other.units === units;
    })
  );
}

/** Order in which `combine` prefers what gives the same plan in the same status. */
function compareEnds({ subscriptionAccess: a }: Member, { subscriptionAccess: b }: Member): number {
  return (
    (b.periodEnd ?? -1) - (a.periodEnd ?? -1) ||
    compareText(a.subscriptionState.subscription, b.subscriptionState.subscription)
  );
}

/** Order in which `combine` prefers words: that of the subscription observed last comes first. */
function compareSights({ subscriptionAccess: a }: Member, { subscriptionAccess: b }: Member): number {
  return (
    b.subscriptionState.newest.created - a.subscriptionState.newest.created ||
    compareText(b.subscriptionState.subscription, a.subscriptionState.subscription)
  );
}

/** Puts a member in its place of a sorted list; returns that. */
function insert(members: Member[], member: Member, compare: (a: Member, b: Member) => number): number {
  const place = placeOf(members, member, compare);
  members.splice(place, 0, member);
  return place;
}

/** Takes a member out of a sorted list; returns its place. */
function take(members: Member[], member: Member, compare: (a: Member, b: Member) => number): number {
  const place = placeOf(members, member, compare);
  members.splice(place, 1);
  return place;
}

/** Index of the first member that does not come before another: its own, when it is a member. */
function placeOf(
  members: readonly Member[],
  member: Member,
  compare: (a: Member, b: Member) => number,
): number {
  let [low, high] = [0, members.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = members[middle];
    if (other !== undefined && compare(other, member) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function addUnits(sums: Map<string, HeldAddon>, addons: readonly HeldAddon[], sign: 1 | -1): void {
  for (const held of addons) {
    const key = `${held.name}\n${held.price}`;
    const units = (sums.get(key)?.units ?? 0) + sign * held.units;
    if (units === 0) sums.delete(key);
    else sums.set(key, { ...held, units });
  }
}
