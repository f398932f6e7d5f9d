import type { SubscriptionItem } from '../events/subscription.events.js';
import type { Observation } from './facts.js';
import { type NamedPlan, type PriceBook, planItem } from './prices.js';

/** What a spell is a spell of: the price of the plan item, with the item it was seen on. */
export interface SpellPrice {
  readonly plan: NamedPlan;
  readonly item: SubscriptionItem;
}

/**
 * An unbroken stretch of a subscription with one plan price (DESIGN 8). Times are Unix seconds.
 * `of` is `null` for a stretch without a plan. `begin` is −Infinity when it was there before anything was seen.
 * `since` is its first observation, `null` when it was only told of by what came after it. `named` is the last
 * observation before its price was named without a break, −Infinity when there is none.
 */
export interface Spell {
  readonly of: SpellPrice | null;
  readonly begin: number;
  readonly since: number | null;
  readonly named: number;
  readonly trialing: boolean;
}

/** A spell under construction: only `since` and `trialing` still change. */
interface OpenSpell extends Spell {
  since: number | null;
  trialing: boolean;
}

/**
 * Cuts the ordered observations of a subscription into spells, oldest first. Observations whose items were cut are
 * skipped, but for their status. Where `previous_attributes` name a plan price other than the observation before had, an unseen spell of
 * that price lies between, beginning at the observation before it.
 */
export function spellsOf(ordered: readonly Observation[], book: PriceBook): readonly Spell[] {
  const whole = ordered.filter((observation) => !observation.data.itemsTruncated);
  const spells: OpenSpell[] = [];

  const enter = (of: SpellPrice | null, index: number, begin: number): OpenSpell => {
    const current = spells.at(-1);
    if (current !== undefined && priceOf(current.of) === priceOf(of)) return current;
    const named = of === null ? begin : namedSince(whole, index, of.item.price, book);
    const spell: OpenSpell = { of, begin, since: null, named, trialing: false };
    spells.push(spell);
    return spell;
  };

  let index = -1;
  for (const { created, data } of ordered) {
    if (data.itemsTruncated) {
      const current = spells.at(-1);
      if (current !== undefined && data.status === 'trialing') current.trialing = true;
      continue;
    }
    index += 1;
    const earlier = whole[index - 1]?.created ?? Number.NEGATIVE_INFINITY;
    if (data.previous?.items !== undefined) {
      const unseen = enter(planItem(data.previous.items, book), index, earlier);
      if ((data.previous.status ?? data.status) === 'trialing') unseen.trialing = true;
    }
    const spell = enter(planItem(data.items, book), index, created);
    spell.since ??= created;
    if (
      data.status === 'trialing' ||
      (data.previous?.items === undefined && data.previous?.status === 'trialing')
    ) {
      spell.trialing = true;
    }
  }
  return spells;
}

/** Rank of a spell's plan; that of no plan is below all. */
export function rankOf(spell: Spell): number {
  return spell.of?.plan.plan.rank ?? Number.NEGATIVE_INFINITY;
}

function priceOf(of: SpellPrice | null): string | null {
  return of === null ? null : of.item.price;
}

/**
 * Second of the last observation before the price was named without a break, on an item or in a pending update; an
 * unseen spell whose items do not name it is a break. `index` is the observation that the spell is told by.
 */
function namedSince(whole: readonly Observation[], index: number, price: string, book: PriceBook): number {
  for (let at = index; at > 0; at -= 1) {
    const later = whole[at];
    const earlier = whole[at - 1];
    if (later === undefined || earlier === undefined) break;
    if (!names(earlier, price) || isBreak(earlier, later, price, book)) return earlier.created;
  }
  return Number.NEGATIVE_INFINITY;
}

/** Whether an unseen spell that does not name the price lies between two observations. */
function isBreak(earlier: Observation, later: Observation, price: string, book: PriceBook): boolean {
  const unseen = later.data.previous?.items;
  if (unseen === undefined || unseen.some((item) => item.price === price)) return false;
  return priceOf(planItem(unseen, book)) !== priceOf(planItem(earlier.data.items, book));
}

function names({ data }: Observation, price: string): boolean {
  return (
    data.items.some((item) => item.price === price) ||
    (data.pendingUpdate?.items ?? []).some((item) => item.price === price)
  );
}
