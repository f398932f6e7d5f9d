import { z } from 'zod';
import { OBJECT_KINDS } from '../../gateway/object-kind.js';

const counts = z.record(z.string(), z.number());

/** Things of one kind: how many, and the first hundred of them by id. */
function listOf<T extends z.ZodType>(each: T) {
  return z.strictObject({ count: z.number(), first: z.array(each) });
}

/**
 * What would hold if everything that was read of Stripe were recorded now, on top of what is known: users by plan,
 * subscriptions by status, live subscriptions of nobody, what names two users, prices that are in no plan (and of how many
 * users), users with several live subscriptions; plans that purchases give, by plan, and purchases of nobody that give one; and what was read and cannot be recorded.
 * `newEvents`: how many of the events that were read the log does not say yet; counted by a dry run alone, else `null`.
 */
export const importReportSchema = z.strictObject({
  users: counts,
  subscriptions: counts,
  unlinked: listOf(z.strictObject({ subscription: z.string(), customer: z.string().nullable() })),
  conflicts: listOf(
    z.strictObject({ kind: z.enum(['customer', 'subscription', 'checkout']), id: z.string() }),
  ),
  unmappedPrices: counts,
  purchases: counts,
  unlinkedPurchases: listOf(z.strictObject({ session: z.string(), customer: z.string().nullable() })),
  unusableObjects: listOf(z.strictObject({ kind: z.enum(OBJECT_KINDS), id: z.string(), why: z.string() })),
  severalSubscriptions: listOf(z.strictObject({ userId: z.string(), subscriptions: z.array(z.string()) })),
  newEvents: z.number().nullable(),
});
export type ImportReport = z.infer<typeof importReportSchema>;
