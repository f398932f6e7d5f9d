import { z } from 'zod';

/**
 * Ops let a projection go past an event that it cannot fold. `skipped` names that event by what stays when a log is copied
 * to another store, which its position does not. Code that can fold the event folds it all the same.
 */
export const eventSkippedSchema = z.strictObject({
  projection: z.string(),
  skipped: z.strictObject({
    id: z.string(),
    stream: z.string(),
    revision: z.number().int().nonnegative(),
    type: z.string(),
  }),
  reason: z.string().min(1),
});
export type EventSkippedData = z.infer<typeof eventSkippedSchema>;
