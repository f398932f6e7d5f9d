import fc from 'fast-check';
import { type PlanCatalog, planCatalogSchema } from '../../src/events/catalog.events.js';
import type { SubscriptionItem } from '../../src/events/subscription.events.js';

/** What a price is, apart from any item that carries it. */
export type Price = Pick<
  SubscriptionItem,
  'price' | 'lookupKey' | 'product' | 'unitAmount' | 'usageType' | 'billingScheme'
>;

function price(id: string, product: string, unitAmount: string | null, rest: Partial<Price> = {}): Price {
  return {
    price: id,
    lookupKey: null,
    product,
    unitAmount,
    usageType: 'licensed',
    billingScheme: unitAmount === null ? 'tiered' : 'per_unit',
    ...rest,
  };
}

/** Prices of plans, matched by price id, lookup key or product id. */
export const PLAN_PRICES: readonly Price[] = [
  price('price_plus_m', 'prod_plus', '1000'),
  price('price_plus_y', 'prod_plus', '10000', { lookupKey: 'plus_yearly' }),
  price('price_pro_m', 'prod_pro', '2900'),
  price('price_pro_y', 'prod_pro', '29000', { lookupKey: 'pro_yearly' }),
  price('price_ent', 'prod_ent', '99000'),
  price('price_team', 'prod_team', '2500'),
  price('price_plus_tiered', 'prod_plus', null, { lookupKey: 'plus_tiered' }),
  price('price_pro_metered', 'prod_pro', '5', { usageType: 'metered' }),
  price('price_pro_metered_tiered', 'prod_pro', null, { usageType: 'metered' }),
  price('price_pro_zero', 'prod_pro', '0.00'),
  price('price_pro_y_old', 'prod_pro_old', '27000'),
  price('price_free', 'prod_free', '0'),
  price('price_trickle', 'prod_trickle', '100'),
];

/** A metered price of the plan pro, to be had beside a licensed one; its id is the smallest of the plan's. */
export const USAGE_PRICE: Price = price('price_a_usage', 'prod_pro', '2', { usageType: 'metered' });

/** A price that no plan lists, except by the lookup key that it may carry for a while. */
export const KEYED_PRICE: Price = price('price_keyed', 'prod_keyed', '1500');
export const LOOKUP_KEYS = ['plus_yearly', 'pro_yearly', 'space'] as const;

/** Prices that no plan lists; three of them are of a product that a plan's price is of. */
export const UNMAPPED_PRICES: readonly Price[] = [
  price('price_plus_new', 'prod_plus', '1200'),
  price('price_pro_new', 'prod_pro', '3100'),
  price('price_pro_newer', 'prod_pro', '3300'),
  price('price_odd', 'prod_odd', '700'),
];

export const ADDON_PRICES: readonly Price[] = [
  price('price_seat', 'prod_seat', '300'),
  price('price_space', 'prod_space', '400', { lookupKey: 'space' }),
  price('price_ent_boost', 'prod_ent', '500'),
  price('price_calls', 'prod_calls', '1', { usageType: 'metered' }),
  price('price_vault', 'prod_vault', '900'),
];

export const ALL_PRICES: readonly Price[] = [
  ...PLAN_PRICES,
  ...UNMAPPED_PRICES,
  ...ADDON_PRICES,
  USAGE_PRICE,
  KEYED_PRICE,
];

/** A small catalogue with every switch of the policy varied. */
export function catalogs(): fc.Arbitrary<PlanCatalog> {
  return fc
    .record({
      pastDueGraceDays: fc.constantFrom(7, 0, 1, 30),
      trialGraceDays: fc.constantFrom(0, 3),
      trialEndSlackHours: fc.constantFrom(24, 0, 48),
      requirePaymentForUpgrade: fc.constantFrom(true, true, true, false),
      delayedPayment: fc.constantFrom('onPaid' as const, 'onActive' as const),
      sendInvoice: fc.constantFrom('onPaid' as const, 'onActive' as const),
      pauseCollection: fc.constantFrom('keep' as const, 'suspend' as const),
      upgradeWithoutInvoice: fc.constantFrom('wait' as const, 'wait' as const, 'allow' as const),
      neverPaidGraceDays: fc.constantFrom(0, 2, 5),
      dispute: fc.constantFrom('suspend' as const, 'suspend' as const, 'keep' as const),
      fullRefund: fc.constantFrom('keep' as const, 'suspend' as const),
    })
    .chain((policy) => variants.map((variant) => ({ policy, ...variant })))
    .map(({ policy, plusByProduct, huge }) =>
      planCatalogSchema.parse({
        default: 'free',
        policy,
        plans: {
          free: {
            rank: 0,
            role: 'free',
            features: ['reports'],
            limits: { members: 50 },
            prices: { none: 'price_free' },
            perUnit: { members: 1 },
          },
          plus: {
            rank: 1,
            role: 'paid',
            features: ['reports', 'export'],
            limits: { members: 500 },
            prices: {
              monthly: 'price_plus_m',
              yearly: 'plus_yearly',
              tiered: 'plus_tiered',
              ...(plusByProduct ? { any: 'prod_plus' } : {}),
            },
            perUnit: { projects: 3, storage: huge ? NEARLY_ALL : 7 },
          },
          pro: {
            rank: 2,
            role: 'paid',
            features: ['reports', 'export', 'api'],
            limits: { members: 5000, projects: 20 },
            prices: {
              monthly: 'price_pro_m',
              yearly: ['pro_yearly', 'price_pro_y_old'],
              metered: ['price_pro_metered', 'price_a_usage'],
              meteredTiered: 'price_pro_metered_tiered',
              zero: 'price_pro_zero',
            },
            perUnit: { projects: 2 },
          },
          team: {
            rank: 2,
            role: 'team',
            features: ['shared'],
            limits: { members: 700 },
            prices: { monthly: 'price_team' },
          },
          trickle: {
            rank: -1,
            role: 'trickle',
            features: ['drip'],
            limits: { members: 60 },
            prices: { monthly: 'price_trickle' },
          },
          enterprise: {
            rank: 3,
            role: 'paid',
            features: ['sso', 'api'],
            limits: { members: 'unlimited' },
            prices: { any: 'prod_ent' },
            perUnit: { members: 4, projects: 1 },
            sellable: false,
          },
        },
        addons: {
          seats: { prices: ['price_seat'], limits: { members: 10 }, features: ['seating'] },
          space: { prices: ['space'], limits: { storage: huge ? NEARLY_ALL : 100 } },
          boost: { prices: ['price_ent_boost'], features: ['fast'] },
          calls: { prices: ['price_calls'], limits: { calls: 1000 }, features: ['calls'] },
          vault: { prices: ['price_vault'], limits: { storage: 'unlimited' } },
        },
      }),
    );
}

/** A limit of which two are more than can be counted. */
const NEARLY_ALL = Number.MAX_SAFE_INTEGER - 5;

const variants = fc.record({
  plusByProduct: fc.constantFrom(false, false, true),
  huge: fc.constantFrom(false, false, false, true),
});
