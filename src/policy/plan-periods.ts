import type { SubscriptionItem } from '../events/subscription.events.js';
import type { Observation } from './facts.js';
import { keptWith } from './growing.js';
import { asksNothingInAdvance, type PlanItem, planItem } from './plan-item.js';
import type { PriceBook } from './price-book.js';

/**
 * An unbroken stretch of a subscription with one plan price (DESIGN 8). Times are Unix seconds.
 * `of` is `null` for a stretch without a plan. `begin` is −Infinity when it was there before anything was seen.
 * `since` is its first observation, `null` when it was only told of by what came after it. `named` is the last
 * observation before its price was named without a break, −Infinity when there is none. `asks` says that its price asks
 * for something in advance; of a stretch without a plan, that a price of an add-on in it does.
 */
export interface PlanPeriod {
  readonly of: PlanItem | null;
  readonly begin: number;
  readonly since: number | null;
  readonly named: number;
  readonly trialing: boolean;
  readonly asks: boolean;
}

/** A spell under construction: only these still change. */
interface OpenSpell extends PlanPeriod {
  since: number | null;
  trialing: boolean;
  asks: boolean;
}

/**
 * Cuts the ordered observations of a subscription into spells, oldest first. Observations whose items were cut are
 * skipped, but for their status. Where `previous_attributes` name a plan price other than the observation before had, an
 * unseen spell of that price lies between, beginning at the observation before it.
 */
export function planPeriodsOf(ordered: readonly Observation[], book: PriceBook): readonly PlanPeriod[] {
  let cut = cutters.get(book);
  if (cut === undefined) {
    cut = keptWith<Observation, SpellCutter>(
      (observations) => new SpellCutter(book).see(observations),
      (cutter, added) => cutter.see(added),
    );
    cutters.set(book, cut);
  }
  return cut(ordered).spells;
}

const cutters = new WeakMap<PriceBook, (ordered: readonly Observation[]) => SpellCutter>();

/** Cuts spells of observations as they come, in order. */
class SpellCutter {
  readonly spells: OpenSpell[] = [];
  readonly #namings = new Namings();

  constructor(private readonly book: PriceBook) {}

  see(observations: readonly Observation[]): this {
    for (const observation of observations) this.#see(observation);
    return this;
  }

  #see(observation: Observation): void {
    const { created, data } = observation;
    if (data.itemsTruncated) {
      const current = this.spells.at(-1);
      if (current !== undefined && data.status === 'trialing') current.trialing = true;
      return;
    }
    const before = this.spells.at(-1);
    if (data.previous?.items !== undefined) {
      const unseen = this.#enter(data.previous.items, this.#namings.lastSeen);
      if ((data.previous.status ?? data.status) === 'trialing') unseen.trialing = true;
      if (before !== undefined && unseen !== before) this.#namings.breakAt(data.previous.items);
    }
    this.#namings.see(observation);
    const spell = this.#enter(data.items, created);
    spell.since ??= created;
    if (
      data.status === 'trialing' ||
      (data.previous?.items === undefined && data.previous?.status === 'trialing')
    ) {
      spell.trialing = true;
    }
  }

  #enter(items: readonly SubscriptionItem[], begin: number): OpenSpell {
    const of = planItem(items, this.book);
    const asks = of === null ? asksForAddon(items, this.book) : !asksNothingInAdvance(of.item);
    const current = this.spells.at(-1);
    if (current !== undefined && priceOf(current.of) === priceOf(of)) {
      if (of === null) current.asks ||= asks;
      return current;
    }
    const named = of === null ? begin : this.#namings.since(of.item.price);
    const spell: OpenSpell = { of, begin, since: null, named, trialing: false, asks };
    this.spells.push(spell);
    return spell;
  }
}

/** Rank of a spell's plan; that of no plan is below all. */
export function rankOf(planPeriod: PlanPeriod): number {
  return planPeriod.of?.plan.plan.rank ?? Number.NEGATIVE_INFINITY;
}

function priceOf(of: PlanItem | null): string | null {
  return of === null ? null : of.item.price;
}

function asksForAddon(items: readonly SubscriptionItem[], book: PriceBook): boolean {
  return items.some((item) => book.addonOf(item.price) !== null && !asksNothingInAdvance(item));
}

/** Since when each price is named without a break, on an item or in a pending update; whole observations only. */
class Namings {
  /** Second of the last observation, −Infinity before the first. */
  lastSeen = Number.NEGATIVE_INFINITY;
  #since = new Map<string, number>();

  /** Second of the last observation before the price was named without a break. */
  since(price: string): number {
    return this.#since.get(price) ?? this.lastSeen;
  }

  /** Where an unseen spell lies between, what it does not name was not named for a while. */
  breakAt(unseen: readonly SubscriptionItem[]): void {
    const named = new Set(unseen.map(({ price }) => price));
    for (const price of this.#since.keys()) if (!named.has(price)) this.#since.delete(price);
  }

  see({ created, data }: Observation): void {
    const since = new Map<string, number>();
    for (const { price } of [...data.items, ...(data.pendingUpdate?.items ?? [])]) {
      since.set(price, this.since(price));
    }
    this.#since = since;
    this.lastSeen = created;
  }
}
