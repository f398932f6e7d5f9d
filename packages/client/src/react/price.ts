import type { PlanPrice } from '../browser/plans.js';

/** Currencies whose smallest unit is the currency itself, and those with thousandths (Stripe, "Supported currencies"). */
const WHOLE = 'bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'.split(' ');
const THOUSANDTHS = 'bhd jod kwd omr tnd'.split(' ');

/** The amount of a price in words of a locale, such as `$10.00`; `null` as long as Stripe has not told it. */
export function formatPrice({ amount, amountDecimal, currency }: PlanPrice, locale: string): string | null {
  const minor = amount ?? (amountDecimal === undefined ? null : Number(amountDecimal));
  if (minor === null || currency === null) return null;
  const digits = WHOLE.includes(currency) ? 0 : THOUSANDTHS.includes(currency) ? 3 : 2;
  return new Intl.NumberFormat(locale, {
    style: 'currency',
    currency,
    minimumFractionDigits: minor % 10 ** digits === 0 ? 0 : digits,
    maximumFractionDigits: amount === null ? 20 : digits,
  }).format(minor / 10 ** digits);
}
