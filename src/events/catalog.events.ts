import { z } from 'zod';

/**
 * The plan catalogue as it is judged by and as `PlanCatalogPublished` carries it: the file `plans.yaml` with every
 * default filled in, so that a hash of it changes exactly when its meaning may.
 */
export const limitSchema = z.union([z.number().int().nonnegative(), z.literal('unlimited')], {
  error: 'a whole number from 0, or unlimited',
});
const key = z.string().min(1).max(100);

/** Stripe: "Create a session", `subscription_data.trial_period_days`, and "Use trial periods": two years at most. */
const trialDays = z.int().min(0).max(730);

export const accessPolicySchema = z.strictObject({
  pastDueGraceDays: z.number().nonnegative().max(3650).default(7),
  /** Days of grace when a payment fails after an observed trial and nothing was ever paid. */
  trialGraceDays: z.number().nonnegative().max(3650).default(0),
  /** Hours access goes on after `trial_end`: Stripe always sends what follows a trial. */
  trialEndSlackHours: z
    .number()
    .nonnegative()
    .max(24 * 3650)
    .default(24),
  requirePaymentForUpgrade: z.boolean().default(true),
  /** `allow`: an upgrade that Stripe's default prorations bill at the next renewal counts at once. */
  upgradeWithoutInvoice: z.enum(['wait', 'allow']).default('wait'),
  /** Days of grace when nothing of a subscription was ever paid. */
  neverPaidGraceDays: z.number().nonnegative().max(3650).default(0),
  delayedPayment: z.enum(['onPaid', 'onActive']).default('onPaid'),
  sendInvoice: z.enum(['onPaid', 'onActive']).default('onPaid'),
  pauseCollection: z.enum(['keep', 'suspend']).default('keep'),
  dispute: z.enum(['suspend', 'keep']).default('suspend'),
  fullRefund: z.enum(['keep', 'suspend']).default('keep'),
});
export type AccessPolicy = z.infer<typeof accessPolicySchema>;

export const planSchema = z.strictObject({
  rank: z.int(),
  role: key,
  features: z.array(key).default([]),
  limits: z.record(key, limitSchema).default({}),
  /** What each unit of the quantity of the plan's item adds to `limits`. */
  perUnit: z.record(key, z.int().nonnegative()).default({}),
  /**
   * Stripe price id, lookup key or product id by billing interval or any other label of ours; of a list the first is
   * sold and all count.
   */
  prices: z
    .record(key, z.union([key, z.array(key).min(1)], { error: 'a price, or a list of prices' }))
    .default({}),
  sellable: z.boolean().default(true),
  /** Days of trial at a first checkout of this plan; left out: those of the catalogue. */
  trialDays: trialDays.optional(),
});
export type Plan = z.infer<typeof planSchema>;

export const addonSchema = z.strictObject({
  prices: z.array(key).min(1),
  /** What one unit of quantity adds. */
  limits: z.record(key, limitSchema).default({}),
  features: z.array(key).default([]),
});
export type Addon = z.infer<typeof addonSchema>;

/** How checkout sessions are made, of every plan (Stripe: "Create a session"). */
export const checkoutOptionsSchema = z.strictObject({
  promotionCodes: z.boolean().default(false),
  automaticTax: z.boolean().default(false),
  /** Whether buyers may give their tax ids. */
  taxIds: z.boolean().default(false),
  /** `auto`: the browser's; else one of Stripe's, such as `de`. */
  locale: z
    .string()
    .regex(/^[a-z]{2,3}(-[A-Z0-9]{2,3})?$|^auto$/, { error: 'auto, or a language such as de or en-GB' })
    .default('auto'),
});
export type CheckoutOptions = z.infer<typeof checkoutOptionsSchema>;

/** Methods as they are sent: tokens in upper case (RFC 9110, 9.1). */
const method = z.string().regex(/^[A-Z][A-Z-]{0,31}$/, { error: 'a method in upper case, such as GET' });
const PATH = 'a decoded path from /, without empty, . and .. segments and without % \\ ; ? #; a * may end it';

/** A route of an application and the feature that it takes. A `*` at the end of `path` is the rest. */
export const routeSchema = z.strictObject({
  methods: z.array(method).min(1),
  path: z
    .string()
    .max(1_000)
    .refine((path) => isRoutePath(path), { error: PATH }),
  feature: key,
});
export type Route = z.infer<typeof routeSchema>;

function isRoutePath(path: string): boolean {
  if (!/^\/[^%\\;?#*\p{Cc}]*\*?$/u.test(path)) return false;
  const segments = path.replace(/\*$/, '').slice(1).split('/');
  return segments.every(
    (segment, index) =>
      segment !== '.' && segment !== '..' && (segment !== '' || index === segments.length - 1),
  );
}

export const planCatalogSchema = z.strictObject({
  default: key,
  policy: accessPolicySchema.prefault({}),
  /** Days of trial at a first checkout. */
  trialDays: trialDays.default(0),
  checkout: checkoutOptionsSchema.prefault({}),
  plans: z.record(key, planSchema),
  addons: z.record(key, addonSchema).default({}),
  /** Asked by path, the first that fits. Left out where there are none, so that older catalogues keep their hash. */
  routes: z.array(routeSchema).optional(),
});
export type PlanCatalog = z.infer<typeof planCatalogSchema>;

/** The label of a plan's prices that are bought once and for good; all others are billed again and again. */
export const LIFETIME = 'lifetime';

/** The prices that a label of a plan names, the one that is sold first. */
export function pricesOfLabel(named: Plan['prices'][string]): readonly string[] {
  return typeof named === 'string' ? [named] : named;
}

export type Limit = z.infer<typeof limitSchema>;

/**
 * Published whole, with the SHA-256 of its canonical JSON (RFC 8785) as `hash`. `pseudonyms` is said by the first of a log
 * whose user ids are pseudonyms, and by no other.
 */
export const planCatalogPublishedSchema = z.strictObject({
  hash: z.string(),
  catalog: planCatalogSchema,
  pseudonyms: z.literal(true).optional(),
});
export type PlanCatalogPublishedData = z.infer<typeof planCatalogPublishedSchema>;
