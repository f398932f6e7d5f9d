import { z } from 'zod';

const unixSeconds = z.number().int();
const nullableString = z.string().nullable();

/**
 * A price on a subscription item. `unitAmount` is the decimal string of minor units, `null` when the price has none
 * (tiers, custom amounts). `usageType` and `billingScheme` are open enumerations as Stripe says them.
 */
export const subscriptionItemSchema = z.strictObject({
  id: nullableString,
  price: z.string(),
  lookupKey: nullableString,
  product: nullableString,
  quantity: z.number().nullable(),
  unitAmount: nullableString,
  currency: nullableString,
  usageType: nullableString,
  billingScheme: nullableString,
  currentPeriodStart: unixSeconds.nullable(),
  currentPeriodEnd: unixSeconds.nullable(),
});
export type SubscriptionItem = z.infer<typeof subscriptionItemSchema>;

export const pauseCollectionSchema = z.strictObject({
  behavior: nullableString,
  resumesAt: unixSeconds.nullable(),
});
export type PauseCollection = z.infer<typeof pauseCollectionSchema>;

/** A change that Stripe holds back until its invoice is paid ("Pending updates"). `items` is `null` when none are named. */
export const pendingUpdateSchema = z.strictObject({
  expiresAt: unixSeconds.nullable(),
  items: z.array(subscriptionItemSchema).nullable(),
});
export type PendingUpdate = z.infer<typeof pendingUpdateSchema>;

/**
 * The access-bearing fields that `previous_attributes` named, with the value before the change; a key is absent when
 * it was not named. `names` are all top-level names it had, sorted; `digest` is the SHA-256 of its canonical JSON
 * (RFC 8785), which tells twins from changes that only look alike.
 */
export const previousAttributesSchema = z.strictObject({
  names: z.array(z.string()),
  digest: z.string(),
  status: z.string().optional(),
  items: z.array(subscriptionItemSchema).optional(),
  cancelAt: unixSeconds.nullable().optional(),
  cancelAtPeriodEnd: z.boolean().optional(),
  pauseCollection: pauseCollectionSchema.nullable().optional(),
  trialEnd: unixSeconds.nullable().optional(),
});
export type PreviousAttributes = z.infer<typeof previousAttributesSchema>;

/**
 * One sight of a Stripe subscription, normalised from any API version. Times are Unix seconds. `userId` is the claim
 * in its metadata, `null` when absent or not a valid user id. `itemsTruncated` says that Stripe cut the list of
 * items (`has_more`). `previous` is `null` for types that carry no `previous_attributes`.
 */
export const subscriptionObservationSchema = z.strictObject({
  subscription: z.string(),
  customer: nullableString,
  status: z.string(),
  startedAt: unixSeconds.nullable(),
  items: z.array(subscriptionItemSchema),
  itemsTruncated: z.boolean(),
  cancelAt: unixSeconds.nullable(),
  cancelAtPeriodEnd: z.boolean(),
  canceledAt: unixSeconds.nullable(),
  endedAt: unixSeconds.nullable(),
  trialStart: unixSeconds.nullable(),
  trialEnd: unixSeconds.nullable(),
  pauseCollection: pauseCollectionSchema.nullable(),
  collectionMethod: nullableString,
  pendingUpdate: pendingUpdateSchema.nullable(),
  latestInvoice: nullableString,
  testClock: nullableString,
  cancellationReason: nullableString,
  userId: nullableString,
  previous: previousAttributesSchema.nullable(),
});
export type SubscriptionObservationData = z.infer<typeof subscriptionObservationSchema>;

/**
 * What Stripe's API answered about a subscription. `gone` says that Stripe no longer has it: everything else is then what
 * was last known, its status too, and it counts as canceled from the second of the event. Version 1 has no `gone`.
 */
export const subscriptionRetrievedSchema = z.strictObject({
  ...subscriptionObservationSchema.shape,
  gone: z.boolean().default(false),
});
export type SubscriptionRetrievedData = z.infer<typeof subscriptionRetrievedSchema>;

/** Names of the events that carry an observation, in no order. */
export const SUBSCRIPTION_OBSERVATION_TYPES = [
  'SubscriptionStarted',
  'SubscriptionActivated',
  'SubscriptionPlanChanged',
  'SubscriptionRenewed',
  'SubscriptionPastDue',
  'SubscriptionRecovered',
  'SubscriptionSuspended',
  'SubscriptionResumed',
  'SubscriptionCancellationScheduled',
  'SubscriptionCancellationWithdrawn',
  'SubscriptionTrialEnding',
  'SubscriptionCanceled',
  'SubscriptionExpired',
  'SubscriptionUpdated',
  'SubscriptionRetrieved',
] as const;
export type SubscriptionObservationType = (typeof SUBSCRIPTION_OBSERVATION_TYPES)[number];
