import type { Addon, Plan } from '../events/catalog.events.js';
import type { Observation } from './facts.js';

/** A plan with the name it has in the catalogue. */
export interface NamedPlan {
  readonly name: string;
  readonly plan: Plan;
}

/** An add-on with the name it has in the catalogue. */
export interface NamedAddon {
  readonly name: string;
  readonly addon: Addon;
}

/** What a price is read by (DESIGN 7): its id alone, or the lookup key or product of that `name`, or a move, that an observation showed. */
export type PriceReading =
  | { readonly by: 'id'; readonly name: null; readonly shown: null }
  | { readonly by: 'lookup_key' | 'product'; readonly name: string; readonly shown: Observation }
  | { readonly by: 'adoption'; readonly name: null; readonly shown: Observation };

/** How the prices of one subscription are read, by price id: the catalogue, and what its own history adds to it. */
export interface PriceBook {
  /** The plan a price of this subscription belongs to, or `null`. */
  planOf(price: string): NamedPlan | null;
  addonOf(price: string): NamedAddon | null;
  /** Whether a price was seen tiered on an item. */
  isTiered(price: string): boolean;
  /** The first observation that showed a price tiered. */
  tieredBy(price: string): Observation | null;
  /** Prices in no plan that took over a plan's price of the same product, by price id. */
  readonly adopted: ReadonlyMap<string, NamedPlan>;
  /**
   * How a price of a plan is read, and the observation that showed what it is read by where its id alone does not say:
   * its lookup key or product, or, of one that was adopted, the move to it. `null` of a price of no plan.
   */
  readingOf(price: string): PriceReading | null;
}
