import { z } from 'zod';

const units = z.int().min(0).max(999_999_999);

/**
 * Somebody asked for less of a subscription, or for another plan of it at the period's end: what is to hold from then on.
 * Judged is what Stripe says of the subscription; this says who asked, for auditors, and what Stripe's schedule is to bring.
 * `interval` is the label of the plan's price and `price` Stripe's id of it; both are null where the subscription is to end.
 * `at` (Unix seconds) is when it is to hold, null of a change that was asked for at once. `schedule` is the subscription
 * schedule that brings it, and `askedAt` the second of Stripe's last answer about it.
 */
export const planChangeRequestedSchema = z.strictObject({
  userId: z.string(),
  subscription: z.string(),
  plan: z.string(),
  interval: z.string().nullable(),
  price: z.string().nullable(),
  quantity: units,
  addons: z.record(z.string(), units),
  when: z.enum(['period_end', 'now']),
  at: z.int().nullable(),
  schedule: z.string().nullable(),
  askedAt: z.int(),
});
export type PlanChangeRequestedData = z.infer<typeof planChangeRequestedSchema>;

/** Somebody wants to keep what is held: what was to come for the period's end is withdrawn at Stripe. */
export const planChangeWithdrawnSchema = z.strictObject({
  userId: z.string(),
  subscription: z.string(),
  schedule: z.string().nullable(),
});
export type PlanChangeWithdrawnData = z.infer<typeof planChangeWithdrawnSchema>;
