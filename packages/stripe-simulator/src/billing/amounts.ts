import type { Price } from '../types.js';

/** Cost of so many units of a price, in the smallest unit of the currency, rounded half up. */
export function amountOf(price: Price, quantity: number): number {
  if (price.billing_scheme === 'tiered') return Math.round(tieredAmount(price, quantity));
  return Math.round(Number(price.unit_amount_decimal ?? 0) * billedUnits(price, quantity));
}

/** Units after `transform_quantity`, such as started packages of a hundred. */
function billedUnits(price: Price, quantity: number): number {
  const packages = price.transform_quantity;
  if (packages === null) return quantity;
  const exact = quantity / packages.divide_by;
  return packages.round === 'up' ? Math.ceil(exact) : Math.floor(exact);
}

/** `volume`: the tier that the quantity falls in prices all units; `graduated`: each tier its own. */
function tieredAmount(price: Price, quantity: number): number {
  let below = 0;
  let sum = 0;
  for (const tier of price.tiers ?? []) {
    const upTo = tier.up_to ?? Number.POSITIVE_INFINITY;
    const unit = Number(tier.unit_amount_decimal ?? 0);
    const flat = Number(tier.flat_amount_decimal ?? 0);
    if (price.tiers_mode === 'volume') {
      if (quantity <= upTo) return quantity * unit + flat;
    } else if (quantity > below || (below === 0 && quantity === 0)) {
      sum += (Math.min(quantity, upTo) - below) * unit + flat;
    }
    below = upTo;
  }
  return sum;
}

/** The part of an amount that falls on the seconds from `now` to the end of a period, rounded half up. */
export function shareOf(
  amount: number,
  period: { readonly start: number; readonly end: number },
  now: number,
): number {
  const length = period.end - period.start;
  if (length <= 0) return 0;
  const left = Math.min(Math.max(period.end - now, 0), length);
  return Math.round((amount * left) / length);
}
