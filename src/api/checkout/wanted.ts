import type { PlanCatalog } from '../../events/catalog.events.js';
import { ProblemError } from '../../http/problem.js';
import type { PaidInterval, PlanChoice } from '../../plans/plan-order.js';
import type { SoldPrice } from '../../stripe/gateway/sold-price.js';
import type { CheckoutRequest } from './checkout.schemas.js';
import { addonsHeld, choiceHeld, type Held } from './held.js';
import { addonOf, type Offer } from './offer.js';

/** An add-on that is wanted, with the price of it that goes with the plan's. */
export interface WantedAddon {
  readonly addon: string;
  readonly price: string;
  readonly quantity: number;
  readonly isMetered: boolean;
}

/** What is to be bought, with Stripe's prices. */
export interface Wanted {
  readonly offer: Offer;
  readonly price: SoldPrice;
  readonly quantity: number;
  readonly addons: readonly WantedAddon[];
  readonly choice: PlanChoice;
}

/** What Stripe says of the prices that the catalogue names. */
export type PriceOf = (name: string) => SoldPrice | null;

/**
 * What a request wants, beside what is held: units and add-ons that it does not name are kept in an upgrade.
 * @throws ProblemError `not_for_sale` where Stripe does not sell a price, or an add-on not by the plan's interval
 */
export function wantedOf(
  catalog: PlanCatalog,
  request: Pick<CheckoutRequest, 'quantity' | 'addons'>,
  offer: Offer,
  held: Held | null,
  priceOf: PriceOf,
): Wanted {
  const price = sold(offer.price, priceOf);
  const interval = intervalOfPrice(price);
  const quantity = request.quantity ?? (held === null ? null : choiceHeld(held))?.quantity ?? 1;
  const units = request.addons ?? (held === null ? {} : addonsHeld(held.items));
  const addons = Object.entries(units).map(([addon, quantity]): WantedAddon => {
    const names = addonOf(catalog, addon).prices;
    const its = names.flatMap((name) => priceOf(name) ?? []).find((each) => isSameInterval(each, price));
    if (its === undefined) {
      throw new ProblemError('not_for_sale', `The add-on "${addon}" is not sold by this interval.`);
    }
    return { addon, price: its.id, quantity, isMetered: its.usageType === 'metered' };
  });
  const { plan, of } = offer;
  const choice = { plan, rank: of.rank, interval, quantity, addons: units };
  return { offer, price, quantity, addons, choice };
}

/** A metered price has no quantity (Stripe: "Create a session", `line_items.quantity`). */
export function pricedUnits({ price, quantity }: Pick<Wanted, 'price' | 'quantity'>): object {
  return price.usageType === 'metered' ? { price: price.id } : { price: price.id, quantity };
}

/** Units and price of an add-on, as `pricedUnits`. */
export function addonUnits({ price, quantity, isMetered }: WantedAddon): object {
  return isMetered ? { price } : { price, quantity };
}

function sold(name: string, priceOf: PriceOf): SoldPrice {
  const price = priceOf(name);
  if (price?.active === true) return price;
  throw new ProblemError('not_for_sale', `Stripe does not sell the price "${name}".`);
}

function intervalOfPrice({ interval, intervalCount }: SoldPrice): PaidInterval {
  if (interval === null) return 'once';
  if (interval !== 'day' && interval !== 'week' && interval !== 'month' && interval !== 'year') {
    throw new ProblemError('not_for_sale', `Nobody knows how long "${interval}" is.`);
  }
  return { unit: interval, count: intervalCount ?? 1 };
}

function isSameInterval(a: SoldPrice, b: SoldPrice): boolean {
  return a.active && a.interval === b.interval && a.intervalCount === b.intervalCount;
}
