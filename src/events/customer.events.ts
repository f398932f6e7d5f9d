import { z } from 'zod';

/** One sight of a Stripe customer. `userId` is the claim in its metadata, `null` when absent or invalid. */
export const customerObservationSchema = z.strictObject({
  customer: z.string(),
  userId: z.string().nullable(),
});
export type CustomerObservationData = z.infer<typeof customerObservationSchema>;

/**
 * What Stripe's API answered about a customer. `deleted` says that Stripe shows it deleted, `gone` that Stripe no longer has
 * it, which counts the same. Version 1 has no `gone`.
 */
export const customerRetrievedSchema = z.strictObject({
  ...customerObservationSchema.shape,
  deleted: z.boolean(),
  gone: z.boolean().default(false),
});
export type CustomerRetrievedData = z.infer<typeof customerRetrievedSchema>;

/** Ops say whose a customer is. */
export const customerLinkedSchema = z.strictObject({
  customer: z.string(),
  userId: z.string(),
  reason: z.string().nullable(),
});
export type CustomerLinkedData = z.infer<typeof customerLinkedSchema>;

/** Ops take their word back: the facts decide again. */
export const customerUnlinkedSchema = z.strictObject({
  customer: z.string(),
  reason: z.string().nullable(),
});
export type CustomerUnlinkedData = z.infer<typeof customerUnlinkedSchema>;

/** Ops say whose a single subscription is. */
export const subscriptionLinkedSchema = z.strictObject({
  subscription: z.string(),
  userId: z.string(),
  reason: z.string().nullable(),
});
export type SubscriptionLinkedData = z.infer<typeof subscriptionLinkedSchema>;

export const subscriptionUnlinkedSchema = z.strictObject({
  subscription: z.string(),
  reason: z.string().nullable(),
});
export type SubscriptionUnlinkedData = z.infer<typeof subscriptionUnlinkedSchema>;
