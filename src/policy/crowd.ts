import type { HeldAddon } from './account.js';
import { compareText } from './order.js';
import type { Standing } from './standing.js';

/** A standing, with what of it access hangs on beside its add-ons, and the group it is in. */
interface Member {
  readonly standing: Standing;
  readonly access: string;
  readonly group: string;
}

/** Members that say the same to `combine`: it is shown the first of them by either order, with the add-ons of all. */
interface Group {
  readonly byEnd: Member[];
  readonly bySight: Member[];
  /** Units of all by price. */
  readonly addons: Map<string, HeldAddon>;
}

/** Whether a member is shown of its group, by either order, and whether it has none beside it. */
interface Place {
  readonly first: boolean;
  readonly seenLast: boolean;
  readonly alone: boolean;
}

/** What may become another: what is allowed; or only until when, by whom and whose; or nothing. */
export type Change = 'access' | 'dates' | 'nothing';

/** Standings of many subscriptions, of which `combine` is shown no more than can make a difference. */
export class Crowd {
  readonly #members: Member[];
  readonly #groups = new Map<string, Group>();

  constructor(standings: readonly Standing[]) {
    this.#members = standings.map(memberOf);
    for (const member of this.#members) {
      const group = this.#group(member.group);
      group.byEnd.push(member);
      group.bySight.push(member);
      addUnits(group.addons, member.standing.addons, 1);
    }
    for (const { byEnd, bySight } of this.#groups.values()) {
      byEnd.sort(compareEnds);
      bySight.sort(compareSights);
    }
  }

  /** Puts another standing in the place of the nth; tells what of that all give together may become another. */
  move(nth: number, standing: Standing): Change {
    const before = this.#members[nth];
    if (before === undefined) throw new RangeError(`nobody is ${nth}th`);
    const after = memberOf(standing);
    this.#members[nth] = after;
    const left = this.#remove(before);
    const joined = this.#add(after);
    const isShown = left.first || joined.first || left.seenLast || joined.seenLast;
    if (!hasSameAddons(before.standing, after.standing)) return 'access';
    if (before.access === after.access) return isShown ? 'dates' : 'nothing';
    const isSpecial = before.group === after.group;
    const isOtherGroup = left.alone || joined.alone;
    const isOtherWord =
      (left.seenLast && before.standing.word !== null) || (joined.seenLast && standing.word !== null);
    if (isSpecial || isOtherGroup || isOtherWord) return 'access';
    return isShown ? 'dates' : 'nothing';
  }

  standings(): readonly Standing[] {
    return [...this.#groups.values()].flatMap(({ byEnd: [first], bySight: [seenLast], addons }) => {
      const shown = first === undefined ? [] : [{ ...first.standing, addons: [...addons.values()] }];
      return seenLast === undefined || seenLast === first
        ? shown
        : [...shown, { ...seenLast.standing, addons: [] }];
    });
  }

  #add(member: Member): Place {
    const { byEnd, bySight, addons } = this.#group(member.group);
    const byEndAt = placeOf(byEnd, member, compareEnds);
    const bySightAt = placeOf(bySight, member, compareSights);
    byEnd.splice(byEndAt, 0, member);
    bySight.splice(bySightAt, 0, member);
    addUnits(addons, member.standing.addons, 1);
    return { first: byEndAt === 0, seenLast: bySightAt === 0, alone: byEnd.length === 1 };
  }

  #remove(member: Member): Place {
    const { byEnd, bySight, addons } = this.#group(member.group);
    const byEndAt = placeOf(byEnd, member, compareEnds);
    const bySightAt = placeOf(bySight, member, compareSights);
    byEnd.splice(byEndAt, 1);
    bySight.splice(bySightAt, 1);
    addUnits(addons, member.standing.addons, -1);
    const alone = byEnd.length === 0;
    if (alone) this.#groups.delete(member.group);
    return { first: byEndAt === 0, seenLast: bySightAt === 0, alone };
  }

  #group(key: string): Group {
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const group = { byEnd: [], bySight: [], addons: new Map() };
    this.#groups.set(key, group);
    return group;
  }
}

/** `combine` asks no more of those of one group than which is first, and how many add-ons they hold. */
function memberOf(standing: Standing): Member {
  const { account, access, plan, units, status, word } = standing;
  const isSpecial = account.awaited !== null || (!account.ended && account.unmappedPrices.length > 0);
  const of = `${access}\n${status}\n${word}\n${units}\n${plan?.name ?? ''}`;
  return { standing, access: of, group: isSpecial ? account.subscription : of };
}

function hasSameAddons({ addons: before }: Standing, { addons: after }: Standing): boolean {
  return (
    before.length === after.length &&
    before.every(({ name, price, units }, n) => {
      const other = after[n];
      return other?.name === name && other.price === price && other.units === units;
    })
  );
}

/** As `combine` prefers what gives the same plan in the same status. */
function compareEnds({ standing: a }: Member, { standing: b }: Member): number {
  return (
    (b.periodEnd ?? -1) - (a.periodEnd ?? -1) || compareText(a.account.subscription, b.account.subscription)
  );
}

/** As `combine` prefers words: of the subscription observed last. */
function compareSights({ standing: a }: Member, { standing: b }: Member): number {
  return (
    b.account.newest.created - a.account.newest.created ||
    compareText(b.account.subscription, a.account.subscription)
  );
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
