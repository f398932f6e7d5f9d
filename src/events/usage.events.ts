import { z } from 'zod';

const count = z.int().min(0);

/**
 * How much of a limited thing a user has in use, as an application says it. `values` are the newest of each limit that was
 * ever reported of the user, this one included: the last event of a stream tells all of it.
 */
export const usageReportedSchema = z.strictObject({
  userId: z.string(),
  limit: z.string(),
  value: count,
  values: z.record(z.string(), count),
});
export type UsageReportedData = z.infer<typeof usageReportedSchema>;
