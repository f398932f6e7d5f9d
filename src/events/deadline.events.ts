import { z } from 'zod';

/**
 * The clock reached an instant at which what a user may do changes with no fact of anyone's: a trial, a grace period or
 * a subscription ended. `at` is that instant (RFC 3339, UTC, ms), which is also the time the event is judged at; what
 * changed is the policy's to say.
 */
export const accessDeadlineReachedSchema = z.strictObject({
  userId: z.string(),
  at: z.iso.datetime({ precision: 3 }),
});
export type AccessDeadlineReachedData = z.infer<typeof accessDeadlineReachedSchema>;
