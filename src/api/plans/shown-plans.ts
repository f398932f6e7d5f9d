import { type PlanCatalog, pricesOfLabel } from '../../events/catalog.events.js';
import type { SoldPrice } from '../../stripe/gateway/sold-price.js';
import type { PlansResponse } from './plans.schemas.js';

type ShownPrice = PlansResponse['addons'][number]['prices'][number];

/** The names under which a catalogue sells: of a label's list its first, of an add-on all. */
export function soldNames({ plans, addons }: PlanCatalog): readonly string[] {
  return [
    ...Object.values(plans).flatMap(({ prices }) => Object.values(prices).flatMap(firstOfLabel)),
    ...Object.values(addons).flatMap(({ prices }) => prices),
  ];
}

/** What a catalogue offers, plans by rank and then by name, with what is known of their prices. */
export function shownPlans(catalog: PlanCatalog, prices: ReadonlyMap<string, SoldPrice>): PlansResponse {
  const shown = (name: string): ShownPrice => shownPrice(name, prices.get(name) ?? null);
  const plans = Object.entries(catalog.plans).map(([plan, { prices, features, ...given }]) => ({
    plan,
    isDefault: plan === catalog.default,
    ...given,
    trialDays: given.trialDays ?? catalog.trialDays,
    features: [...features].sort(),
    prices: Object.fromEntries(
      Object.entries(prices).flatMap(([label, named]) =>
        firstOfLabel(named).map((name) => [label, shown(name)]),
      ),
    ),
  }));
  return {
    plans: plans.sort((a, b) => a.rank - b.rank || (a.plan < b.plan ? -1 : 1)),
    addons: Object.entries(catalog.addons).map(([addon, { prices, features, limits }]) => ({
      addon,
      features: [...features].sort(),
      limits,
      prices: prices.map(shown),
    })),
  };
}

function firstOfLabel(named: Parameters<typeof pricesOfLabel>[0]): readonly string[] {
  return pricesOfLabel(named).slice(0, 1);
}

function shownPrice(name: string, price: SoldPrice | null): ShownPrice {
  if (price === null) {
    const unknown = { id: null, active: null, amount: null, currency: null };
    return { name, ...unknown, interval: null, intervalCount: null, usageType: null };
  }
  const { id, active, amount, amountDecimal, currency, currencies, tiersMode, tiers } = price;
  const { interval, intervalCount, usageType } = price;
  return {
    name,
    id,
    active,
    amount,
    ...(amountDecimal === null ? {} : { amountDecimal }),
    currency,
    ...(Object.keys(currencies).length === 0 ? {} : { currencies }),
    ...(tiersMode === null ? {} : { tiersMode }),
    ...(tiers === null ? {} : { tiers }),
    interval,
    intervalCount,
    usageType,
  };
}
