import { type PlanCatalog, pricesOfLabel } from '../events/catalog.events.js';
import type { SubscriptionItem } from '../events/subscription.events.js';
import type { Observation } from './facts.js';
import { type Edit, keptThroughEdits } from './growing-list.js';
import { namesTheSame } from './held-items.js';
import { comparePlanItems } from './plan-item.js';
import type { NamedAddon, NamedPlan, PriceBook, PriceReading } from './price-book.js';

/** What a price is of. */
export type PriceTarget =
  | { readonly kind: 'plan'; readonly plan: NamedPlan; readonly label: string }
  | { readonly kind: 'addon'; readonly addon: NamedAddon };

/** The catalogue turned round: from anything that names a price to what it is of, plans and add-ons in one table. */
export type PriceIndex = ReadonlyMap<string, PriceTarget>;

const indexes = new WeakMap<PlanCatalog, PriceIndex>();

/** The index of a catalogue; built once per catalogue object. */
export function priceIndex(catalog: PlanCatalog): PriceIndex {
  const known = indexes.get(catalog);
  if (known !== undefined) return known;
  const index = new Map<string, PriceTarget>();
  for (const [name, plan] of Object.entries(catalog.plans)) {
    for (const [label, named] of Object.entries(plan.prices)) {
      for (const price of pricesOfLabel(named))
        index.set(price, { kind: 'plan', plan: { name, plan }, label });
    }
  }
  for (const [name, addon] of Object.entries(catalog.addons)) {
    for (const price of addon.prices) index.set(price, { kind: 'addon', addon: { name, addon } });
  }
  indexes.set(catalog, index);
  return index;
}

/**
 * Reads the prices of a subscription's history, in order (DESIGN 7): each is of what its id, else the newest lookup key it
 * ever showed that the catalogue has, else its product names. So a price keeps its match when its lookup key moves to
 * another price, and an invoice line, which has the id alone, is matched through what items showed.
 */
export function openPriceBook(catalog: PlanCatalog, ordered: readonly Observation[]): PriceBook {
  let read = readers.get(catalog);
  if (read === undefined) {
    const index = priceIndex(catalog);
    read = keptThroughEdits<Observation, PriceReader>(
      (observations) => PriceReader.of(index, observations),
      (reader, added, observations) => (reader.read(added) ? reader : PriceReader.of(index, observations)),
      (reader, edit, observations) => (reader.readAgain(edit, observations) ? reader : null),
    );
    readers.set(catalog, read);
  }
  return read(ordered);
}

const readers = new WeakMap<PlanCatalog, (ordered: readonly Observation[]) => PriceReader>();

/** What a price is of by what an observation showed of it: the lookup key or product of that name. */
interface Shown {
  readonly target: PriceTarget;
  readonly name: string;
  readonly by: Observation;
}

/** Reads the prices of observations as they come, in order. */
class PriceReader implements PriceBook {
  readonly #byLookupKey = new Map<string, Shown>();
  readonly #byProduct = new Map<string, Shown>();
  readonly #tiered = new Map<string, Observation>();
  readonly adopted = new Map<string, NamedPlan>();
  readonly #adoptedWith = new Map<string, Observation>();
  #before: readonly SubscriptionItem[] = [];
  /** Whether an observation ever showed a price that nothing but its product can tell a plan for. */
  #hasOrphans = false;

  private constructor(private readonly index: PriceIndex) {}

  static of(index: PriceIndex, ordered: readonly Observation[]): PriceReader {
    const reader = new PriceReader(index);
    // What names the same as the one before it shows and moves nothing.
    const telling = ordered.filter((observation, nth) => !namesTheSame(ordered[nth - 1], observation));
    for (const observation of telling) reader.#show(observation);
    for (const observation of telling) reader.#adopt(observation);
    return reader;
  }

  planOf(price: string): NamedPlan | null {
    const target = this.#targetOf(price);
    if (target !== null) return target.kind === 'plan' ? target.plan : null;
    return this.adopted.get(price) ?? null;
  }

  addonOf(price: string): NamedAddon | null {
    const target = this.#targetOf(price);
    return target?.kind === 'addon' ? target.addon : null;
  }

  isTiered(price: string): boolean {
    return this.#tiered.has(price);
  }

  tieredBy(price: string): Observation | null {
    return this.#tiered.get(price) ?? null;
  }

  readingOf(price: string): PriceReading | null {
    if (this.index.has(price)) return { by: 'id', name: null, shown: null };
    const [key, product] = [this.#byLookupKey.get(price), this.#byProduct.get(price)];
    if (key !== undefined) return { by: 'lookup_key', name: key.name, shown: key.by };
    if (product !== undefined) return { by: 'product', name: product.name, shown: product.by };
    const moved = this.#adoptedWith.get(price);
    return moved === undefined ? null : { by: 'adoption', name: null, shown: moved };
  }

  /** Reads on. False: that changed how a price is read, and so how it was read before; begin anew. */
  read(added: readonly Observation[]): boolean {
    let isSame = true;
    for (const observation of added) {
      if (this.#show(observation)) isSame = false;
    }
    if (!isSame) return false;
    const { size } = this.adopted;
    for (const observation of added) this.#adopt(observation);
    return this.adopted.size === size;
  }

  /**
   * Reads on where observations came between those it read. False: that may change how a price is read; begin anew. It
   * changes nothing where they show of each price what is known of it, and no price ever had to be adopted.
   */
  readAgain({ removed, added }: Edit<Observation>, observations: readonly Observation[]): boolean {
    if (this.#hasOrphans || removed.some((observation) => !added.includes(observation))) return false;
    for (const observation of added) {
      if (this.#mayShowFirst(observation) || this.#show(observation)) return false;
      const { items, previous } = observation.data;
      if (this.#orphansOf([...(previous?.items ?? []), ...items]).length > 0) return false;
    }
    this.#before = observations.findLast(({ data }) => !data.itemsTruncated)?.data.items ?? [];
    return true;
  }

  /** Whether an observation may come before the one that first showed what is known of a price that it names. */
  #mayShowFirst(observation: Observation): boolean {
    const { created, data } = observation;
    return [data.previous?.items, data.items, data.pendingUpdate?.items].some((items) =>
      items?.some(({ price }) =>
        [this.#byLookupKey.get(price)?.by, this.#byProduct.get(price)?.by, this.#tiered.get(price)].some(
          (first) => first !== undefined && first !== observation && first.created >= created,
        ),
      ),
    );
  }

  #targetOf(price: string): PriceTarget | null {
    const byId = this.index.get(price);
    return byId ?? (this.#byLookupKey.get(price) ?? this.#byProduct.get(price))?.target ?? null;
  }

  /** Takes in what items show of each price, of several matches the newest; tells whether that is new. */
  #show(observation: Observation): boolean {
    const { data } = observation;
    let isNew = false;
    const set = (map: Map<string, Shown>, price: string, name: string | null): void => {
      const target = name === null ? undefined : this.index.get(name);
      if (name === null || target === undefined || map.get(price)?.target === target) return;
      map.set(price, { target, name, by: observation });
      isNew = true;
    };
    for (const items of [data.previous?.items, data.items, data.pendingUpdate?.items]) {
      for (const { price, lookupKey, product, billingScheme } of items ?? []) {
        set(this.#byLookupKey, price, lookupKey);
        set(this.#byProduct, price, product);
        if (billingScheme === 'tiered' && !this.#tiered.has(price)) {
          this.#tiered.set(price, observation);
          isNew = true;
        }
      }
    }
    return isNew;
  }

  /**
   * Where the subscription moves from a plan's price to an unmapped one of the same product, that price counts as the
   * plan's own in this subscription (DESIGN 7). Of several prices it moved from, the one that would be the plan item.
   */
  #adopt(observation: Observation): void {
    const { data } = observation;
    if (data.itemsTruncated) return;
    if (data.previous?.items !== undefined) this.#moveTo(data.previous.items, observation);
    this.#moveTo(data.items, observation);
  }

  #moveTo(items: readonly SubscriptionItem[], moved: Observation): void {
    const orphans = this.#orphansOf(items);
    if (orphans.length > 0) {
      this.#hasOrphans = true;
      const left = leftByProduct(this.#before, items, this);
      for (const { price, product } of orphans) {
        const from = product === null ? undefined : left.get(product);
        if (from === undefined) continue;
        this.adopted.set(price, from.plan);
        this.#adoptedWith.set(price, moved);
      }
    }
    this.#before = items;
  }

  #orphansOf(items: readonly SubscriptionItem[]): readonly SubscriptionItem[] {
    return items.filter(
      ({ price, product }) => product !== null && this.#targetOf(price) === null && !this.adopted.has(price),
    );
  }
}

/** The plan item, of each product, among what is no longer there. */
function leftByProduct(
  before: readonly SubscriptionItem[],
  after: readonly SubscriptionItem[],
  book: PriceBook,
): ReadonlyMap<string, { readonly item: SubscriptionItem; readonly plan: NamedPlan }> {
  const present = new Set(after.map(({ price }) => price));
  const left = new Map<string, { item: SubscriptionItem; plan: NamedPlan }>();
  for (const item of before) {
    if (item.product === null || present.has(item.price)) continue;
    const plan = book.planOf(item.price);
    if (plan === null) continue;
    const best = left.get(item.product);
    if (best === undefined || comparePlanItems({ item, plan }, best) < 0)
      left.set(item.product, { item, plan });
  }
  return left;
}
