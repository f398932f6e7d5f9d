import { z } from 'zod';
import { limitSchema } from '../../events/catalog.events.js';
import { soldPriceSchema } from '../../stripe/gateway/sold-price.js';

const limits = z.record(z.string(), limitSchema);

/** A price that the catalogue names, and what Stripe says of it: null as long as it has not said anything. */
export const planPriceSchema = z.strictObject({
  name: z.string().describe('in the plan file: an id, a lookup key or a product'),
  id: soldPriceSchema.shape.id.nullable(),
  active: z.boolean().nullable().describe('whether Stripe sells it'),
  amount: soldPriceSchema.shape.amount.describe('minor units, of one unit of quantity'),
  amountDecimal: z.string().optional().describe('minor units, where they are no whole number'),
  currency: soldPriceSchema.shape.currency.nullable(),
  currencies: soldPriceSchema.shape.currencies.optional().describe('what it asks in its other currencies'),
  tiersMode: z.string().optional().describe('of a price in tiers: `graduated` or `volume`'),
  tiers: soldPriceSchema.shape.tiers.optional(),
  interval: soldPriceSchema.shape.interval.describe('null of a price that is paid once'),
  intervalCount: soldPriceSchema.shape.intervalCount,
  usageType: soldPriceSchema.shape.usageType.describe('`licensed`, or `metered`: billed by what was used'),
});

export const plansResponse = z.strictObject({
  plans: z.array(
    z.strictObject({
      plan: z.string(),
      isDefault: z.boolean(),
      rank: z.int(),
      role: z.string(),
      features: z.array(z.string()),
      limits,
      perUnit: z.record(z.string(), z.int()),
      sellable: z.boolean(),
      trialDays: z.int().describe('offered at a first checkout'),
      prices: z.record(z.string(), planPriceSchema).describe('by the label of the plan file'),
    }),
  ),
  addons: z.array(
    z.strictObject({
      addon: z.string(),
      features: z.array(z.string()),
      limits,
      prices: z.array(planPriceSchema),
    }),
  ),
});
export type PlansResponse = z.infer<typeof plansResponse>;

export const PLANS_EXAMPLES = {
  Plans: {
    plans: [
      {
        plan: 'plus',
        isDefault: false,
        rank: 1,
        role: 'paid',
        features: ['export', 'reports'],
        limits: { members: 500 },
        perUnit: {},
        sellable: true,
        trialDays: 14,
        prices: {
          monthly: {
            name: 'price_plus_m',
            id: 'price_plus_m',
            active: true,
            amount: 1000,
            currency: 'usd',
            interval: 'month',
            intervalCount: 1,
            usageType: 'licensed',
          },
        },
      },
    ],
    addons: [],
  },
} satisfies { readonly Plans: z.input<typeof plansResponse> };
