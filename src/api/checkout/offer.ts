import { type Addon, type Plan, type PlanCatalog, pricesOfLabel } from '../../events/catalog.events.js';
import { ProblemError } from '../../http/problem.js';
import type { CheckoutRequest } from './checkout.schemas.js';

/** What a request names, as the catalogue has it; nothing of it was asked from Stripe yet. */
export interface Offer {
  readonly plan: string;
  readonly of: Plan;
  readonly interval: string;
  /** Name of the price that the label sells. */
  readonly price: string;
  /** Days of trial that the plan offers; 0: none. */
  readonly trialDays: number;
}

/**
 * What a request asks for, where it may be sold (DESIGN 7, 10).
 * @throws ProblemError `unknown_plan`, `unknown_interval`, `unknown_addon`, `not_for_sale`
 */
export function offerOf(catalog: PlanCatalog, { plan, interval, addons = {} }: CheckoutRequest): Offer {
  const of = own(catalog.plans, plan);
  if (of === null) throw new ProblemError('unknown_plan', `There is no plan "${plan}".`);
  if (!of.sellable) throw new ProblemError('not_for_sale', `The plan "${plan}" is not for sale.`);
  const label = own(of.prices, interval);
  const [price] = label === null ? [] : pricesOfLabel(label);
  if (price === undefined) {
    const labels = Object.keys(of.prices).join(', ') || 'none';
    throw new ProblemError('unknown_interval', `The plan "${plan}" is sold by these intervals: ${labels}.`);
  }
  for (const addon of Object.keys(addons)) addonOf(catalog, addon);
  return { plan, of, interval, price, trialDays: of.trialDays ?? catalog.trialDays };
}

/** @throws ProblemError `unknown_addon` */
export function addonOf(catalog: PlanCatalog, name: string): Addon {
  const addon = own(catalog.addons, name);
  if (addon === null) throw new ProblemError('unknown_addon', `There is no add-on "${name}".`);
  return addon;
}

/** @throws ProblemError `url_not_allowed` where a URL leads anywhere but to one of the origins */
export function checkOrigins(origins: readonly string[], urls: Readonly<Record<string, string>>): void {
  for (const [name, url] of Object.entries(urls)) {
    if (origins.includes(new URL(url).origin)) continue;
    throw new ProblemError('url_not_allowed', `${name} is of no origin that CHECKOUT_URL_ORIGINS names.`);
  }
}

function own<Value>(of: Readonly<Record<string, Value>>, key: string): Value | null {
  return Object.hasOwn(of, key) ? (of[key] ?? null) : null;
}
