import { type Plan, type PlanCatalog, pricesOfLabel } from '../../events/catalog.events.js';
import { ProblemError } from '../../http/problem.js';
import type { PaidInterval, PlanChoice } from '../../plans/plan-order.js';
import type { SoldPrice } from '../../stripe/gateway/sold-price.js';
import { choiceHeld, type Held, type HeldItem, idOf, type StripeItem } from '../checkout/held.js';
import { addonOf } from '../checkout/offer.js';
import type { PlanChangeRequest } from './plan-change.schemas.js';

/** An item that a subscription is to have: of one that it has (`id`), or a new one. Without a quantity it is metered. */
export interface WantedItem {
  readonly id: string | null;
  readonly price: string;
  readonly quantity: number | null;
}

/** What a subscription is to become. */
export interface WantedChange {
  readonly choice: PlanChoice;
  /** Label of the plan's price; null where the catalogue has none for the price that is held. */
  readonly label: string | null;
  readonly price: string;
  readonly items: readonly WantedItem[];
  /** Ids of the items that it has and is to lose. */
  readonly dropped: readonly string[];
}

/** What Stripe says of the prices that the catalogue names. */
export type PriceOf = (name: string) => SoldPrice | null;

/** The plan's price that is wanted. */
interface PlanPrice {
  readonly id: string;
  readonly label: string | null;
  readonly interval: PaidInterval;
  readonly isMetered: boolean;
}

/** Names of the catalogue whose prices a change may ask for. */
export function namesForChange(
  catalog: PlanCatalog,
  { plan, addons }: PlanChangeRequest,
  held: Held,
): readonly string[] {
  const has = choiceHeld(held);
  const of = catalog.plans[plan ?? has?.plan ?? ''];
  const beside = Object.keys(addons ?? has?.addons ?? {});
  return [
    ...Object.values(of?.prices ?? {}).flatMap((named) => pricesOfLabel(named).slice(0, 1)),
    ...beside.flatMap((name) => catalog.addons[name]?.prices ?? []),
  ];
}

/**
 * What a request wants of the subscription that gives the plan; what it does not name stays as it is held. A price that is
 * held stays as long as plan and interval do, for sale or not.
 * @throws ProblemError `unknown_plan`, `unknown_interval`, `unknown_addon`, `not_for_sale`
 */
export function wantedChange(
  catalog: PlanCatalog,
  request: PlanChangeRequest,
  held: Held,
  priceOf: PriceOf,
): WantedChange {
  const has = choiceHeld(held);
  if (held.planItem === null || has === null) throw new Error('a subscription without a plan gives none');
  const { item } = held.planItem;
  const plan = request.plan ?? has.plan;
  const of = planOf(catalog, plan);
  const price = planPrice(plan === has.plan ? item : null, { plan, of, has, request }, held, priceOf);
  const quantity = request.quantity ?? has.quantity;
  const units = request.addons ?? has.addons;
  const isSameInterval = isSame(price.interval, has.interval);
  const items: WantedItem[] = [
    { id: item.id, price: price.id, quantity: price.isMetered ? null : quantity },
    ...othersKept(held, item.id),
    ...addonItems(catalog, { units, has, interval: price.interval, isSameInterval }, held, priceOf),
  ];
  const kept = new Set(items.map(({ id }) => id));
  return {
    choice: { plan, rank: of.rank, interval: price.interval, quantity, addons: units },
    label: price.label,
    price: price.id,
    items,
    dropped: held.items.map(({ item: { id } }) => id).filter((id) => !kept.has(id)),
  };
}

/** @throws ProblemError `unknown_plan` */
export function planOf({ plans }: PlanCatalog, name: string): Plan {
  const plan = Object.hasOwn(plans, name) ? plans[name] : undefined;
  if (plan === undefined) throw new ProblemError('unknown_plan', `There is no plan "${name}".`);
  return plan;
}

/** @param current the plan item, where the plan stays */
function planPrice(
  current: StripeItem | null,
  {
    plan,
    of,
    has,
    request,
  }: {
    readonly plan: string;
    readonly of: Plan;
    readonly has: PlanChoice;
    readonly request: PlanChangeRequest;
  },
  held: Held,
  priceOf: PriceOf,
): PlanPrice {
  const heldLabel = labelOfHeld(held);
  const { interval: label } = request;
  if (current !== null && (label === undefined || label === heldLabel)) {
    const isMetered = current.quantity == null;
    return { id: current.price.id, label: heldLabel, interval: has.interval, isMetered };
  }
  const labels = Object.keys(of.prices);
  const unknown = (): ProblemError =>
    new ProblemError(
      'unknown_interval',
      `The plan "${plan}" is sold by these intervals: ${labels.join(', ') || 'none'}.`,
    );
  if (!of.sellable) throw new ProblemError('not_for_sale', `The plan "${plan}" is not for sale.`);
  const priced = labels.flatMap((each) => {
    const price = priceOf(pricesOfLabel(of.prices[each] ?? []).at(0) ?? '');
    const interval = price === null ? null : paidInterval(price);
    return price === null || interval === null ? [] : [{ label: each, price, interval }];
  });
  if (label !== undefined && !labels.includes(label)) throw unknown();
  const ofInterval = priced.filter(({ interval }) => isSame(interval, has.interval));
  const found =
    label === undefined
      ? (ofInterval.find((each) => each.label === heldLabel) ?? ofInterval[0])
      : priced.find((each) => each.label === label);
  if (found === undefined && label === undefined) throw unknown();
  if (found === undefined || !found.price.active || found.interval === 'once') {
    throw new ProblemError('not_for_sale', `Stripe does not sell the plan "${plan}" by this interval.`);
  }
  const isMetered = found.price.usageType === 'metered';
  return { id: found.price.id, label: found.label, interval: found.interval, isMetered };
}

/** The label under which the catalogue has the plan's price that is held. */
function labelOfHeld({ planItem }: Held): string | null {
  if (planItem === null) return null;
  const { id, lookup_key: key, product } = planItem.item.price;
  const labels = Object.entries(planItem.plan.plan.prices);
  for (const naming of [id, key, idOf(product)]) {
    const found = labels.find(([, named]) => naming != null && pricesOfLabel(named).includes(naming));
    if (found !== undefined) return found[0];
  }
  return null;
}

/** Items of nothing that the catalogue has, and of other plans than the one that counts, stay as they are. */
function othersKept({ items }: Held, planItem: string): readonly WantedItem[] {
  return items
    .filter(({ item, target }) => item.id !== planItem && target?.kind !== 'addon')
    .map(({ item }) => asHeld(item));
}

function addonItems(
  catalog: PlanCatalog,
  {
    units,
    has,
    interval,
    isSameInterval,
  }: {
    readonly units: Readonly<Record<string, number>>;
    readonly has: PlanChoice;
    readonly interval: PaidInterval;
    readonly isSameInterval: boolean;
  },
  held: Held,
  priceOf: PriceOf,
): readonly WantedItem[] {
  return Object.entries(units).flatMap(([name, wanted]): readonly WantedItem[] => {
    const { prices } = addonOf(catalog, name);
    const own = held.items.filter(({ target }) => isOfAddon(target, name)).map(({ item }) => item);
    if (isSameInterval && wanted === (has.addons[name] ?? 0)) return own.map(asHeld);
    if (wanted === 0) return [];
    const [first] = own;
    if (isSameInterval && first !== undefined) {
      return [{ id: first.id, price: first.price.id, quantity: first.quantity == null ? null : wanted }];
    }
    const sold = prices
      .flatMap((each) => priceOf(each) ?? [])
      .find((price) => price.active && isSame(paidInterval(price), interval));
    if (sold === undefined) {
      throw new ProblemError('not_for_sale', `The add-on "${name}" is not sold by this interval.`);
    }
    return [
      { id: first?.id ?? null, price: sold.id, quantity: sold.usageType === 'metered' ? null : wanted },
    ];
  });
}

function isOfAddon(target: HeldItem['target'], name: string): boolean {
  return target?.kind === 'addon' && target.addon.name === name;
}

function asHeld({ id, price, quantity }: StripeItem): WantedItem {
  return { id, price: price.id, quantity: quantity ?? null };
}

function paidInterval({ interval, intervalCount }: SoldPrice): PaidInterval | null {
  switch (interval) {
    case null:
      return 'once';
    case 'day':
    case 'week':
    case 'month':
    case 'year':
      return { unit: interval, count: intervalCount ?? 1 };
    default:
      return null;
  }
}

function isSame(a: PaidInterval | null, b: PaidInterval | null): boolean {
  if (a === null || b === null || a === 'once' || b === 'once') return a === b;
  return a.unit === b.unit && a.count === b.count;
}
