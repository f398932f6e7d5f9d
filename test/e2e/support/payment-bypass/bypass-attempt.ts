import type { Shop, ShopChanges } from '../shop.js';
import type { BypassingUser } from './bypassing-user.js';

export const DAY = 86_400;
const [MONTH, YEAR] = [{ interval: 'month' }, { interval: 'year' }] as const;
export const PLUS = { plan: 'plus', interval: 'monthly' };
export const PRO = { plan: 'pro', interval: 'monthly', trial: false };
export const TEAM = { plan: 'team', interval: 'monthly', trial: false };
export const TRIAL = { plan: 'pro', interval: 'monthly', trial: true };
export const FOR_GOOD = { plan: 'pro', interval: 'lifetime' };
export const PRO_BY_PATCH = { plan: 'pro' };
export const PLUS_BY_PATCH = { plan: 'plus' };
export const BROKE = 'pm_card_chargeCustomerFail';

/** Ids of prices at Stripe. */
export const price = { team: '', metered: '', stray: '', cheapPro: '' };

export const plans: NonNullable<ShopChanges['plans']> = async (
  make,
  { plusMonthly, plusYearly, proMonthly, proOnce, seatMonthly },
) => {
  price.team = await make('Team', 9_000, MONTH);
  price.metered = await make('Metered', 2, { ...MONTH, usage_type: 'metered' });
  price.stray = await make('Stray', 100, MONTH);
  price.cheapPro = await make('Pro', 100, MONTH);
  const proYearly = await make('Pro', 30_000, YEAR);
  return `default: free
trialDays: 14
policy: { fullRefund: suspend }
checkout: { promotionCodes: true }
plans:
  free: { rank: 0, role: free, limits: { members: 5 } }
  plus: { rank: 1, role: paid, trialDays: 0, perUnit: { projects: 1 }, prices: { monthly: ${plusMonthly}, yearly: ${plusYearly} } }
  pro: { rank: 2, role: paid, perUnit: { projects: 10 }, prices: { monthly: ${proMonthly}, yearly: ${proYearly}, lifetime: ${proOnce} } }
  team: { rank: 3, role: paid, prices: { monthly: ${price.team} } }
  metered: { rank: 4, role: paid, trialDays: 0, perUnit: { projects: 1 }, prices: { monthly: ${price.metered} } }
addons:
  seats: { prices: [${seatMonthly}], limits: { members: 10 } }
`;
};

/** A rule that refuses, the attempt by which somebody tries it, and what they must be answered, in order. */
export type BypassAttempt = readonly [
  rule: string,
  attempt: (user: BypassingUser, shop: Shop) => Promise<readonly unknown[]>,
  answers: readonly unknown[],
];
