import type { PlanCatalog } from '../plans/plan-catalog.js';
import type { Account, HeldAddon } from './account.js';
import { combine, type UntimedEntitlement } from './combine.js';
import { compareText } from './order.js';
import { type Standing, standingAt, turningPoints } from './standing.js';

/** What holds from `at` (Unix milliseconds) on, until the next one. */
export interface Moment {
  readonly at: number;
  readonly entitlement: UntimedEntitlement;
}

/**
 * What subscriptions give together from `now` (Unix milliseconds) on: at now, and at each later instant at which time alone
 * may change it. At each instant only the subscriptions that it is about are looked at.
 */
export function momentsFrom(
  accounts: readonly Account[],
  catalog: PlanCatalog,
  now: number,
): readonly Moment[] {
  const crowd = new Crowd();
  const standings = accounts.map((account) => standingAt(account, now / 1000));
  for (const standing of standings) crowd.add(standing);
  const turns = accounts
    .flatMap((account, index) => turningPoints(account).map((second) => ({ at: toInstant(second), index })))
    .filter(({ at }) => at > now)
    .sort((a, b) => a.at - b.at);

  const moments: Moment[] = [{ at: now, entitlement: combine(crowd.standings(), catalog) }];
  for (const [nth, { at, index }] of turns.entries()) {
    const [account, before] = [accounts[index], standings[index]];
    if (account === undefined || before === undefined) continue;
    const standing = standingAt(account, at / 1000);
    crowd.remove(before);
    crowd.add(standing);
    standings[index] = standing;
    if (turns[nth + 1]?.at !== at) moments.push({ at, entitlement: combine(crowd.standings(), catalog) });
  }
  return moments;
}

function toInstant(second: number): number {
  return Math.ceil(second * 1000);
}

/** Standings that say the same to `combine`: it is shown the first of them by either order, with the add-ons of all. */
interface Group {
  readonly byEnd: Standing[];
  readonly bySight: Standing[];
  /** Units of all by price. */
  readonly addons: Map<string, HeldAddon>;
}

/** Standings of many subscriptions, of which `combine` is shown no more than can make a difference. */
class Crowd {
  readonly #groups = new Map<string, Group>();

  add(standing: Standing): void {
    const key = groupOf(standing);
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { byEnd: [], bySight: [], addons: new Map() };
      this.#groups.set(key, group);
    }
    group.byEnd.splice(placeOf(group.byEnd, standing, compareEnds), 0, standing);
    group.bySight.splice(placeOf(group.bySight, standing, compareSights), 0, standing);
    addUnits(group.addons, standing.addons, 1);
  }

  remove(standing: Standing): void {
    const key = groupOf(standing);
    const group = this.#groups.get(key);
    if (group === undefined) return;
    group.byEnd.splice(placeOf(group.byEnd, standing, compareEnds), 1);
    group.bySight.splice(placeOf(group.bySight, standing, compareSights), 1);
    addUnits(group.addons, standing.addons, -1);
    if (group.byEnd.length === 0) this.#groups.delete(key);
  }

  standings(): readonly Standing[] {
    return [...this.#groups.values()].flatMap(({ byEnd: [first], bySight: [seenLast], addons }) => {
      const shown = first === undefined ? [] : [{ ...first, addons: [...addons.values()] }];
      return seenLast === undefined || seenLast === first ? shown : [...shown, { ...seenLast, addons: [] }];
    });
  }
}

/** Equal keys: `combine` asks no more of them than which is first, and how many add-ons they hold. */
function groupOf({ account, access, plan, units, status, word }: Standing): string {
  const isSpecial = account.awaited !== null || (!account.ended && account.unmappedPrices.length > 0);
  return JSON.stringify(isSpecial ? account.subscription : [access, plan?.name ?? null, units, status, word]);
}

/** As `combine` prefers what gives the same plan in the same status. */
function compareEnds(a: Standing, b: Standing): number {
  return (
    (b.periodEnd ?? -1) - (a.periodEnd ?? -1) || compareText(a.account.subscription, b.account.subscription)
  );
}

/** As `combine` prefers words: of the subscription observed last. */
function compareSights(a: Standing, b: Standing): number {
  return (
    b.account.newest.created - a.account.newest.created ||
    compareText(b.account.subscription, a.account.subscription)
  );
}

/** Index of the first member that does not come before a standing: its own, when it is a member. */
function placeOf(
  members: readonly Standing[],
  standing: Standing,
  compare: (a: Standing, b: Standing) => number,
): number {
  let [low, high] = [0, members.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const member = members[middle];
    if (member !== undefined && compare(member, standing) < 0) low = middle + 1;
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
