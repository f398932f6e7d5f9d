import { z } from 'zod';

export const webhookResponse = z.strictObject({
  received: z.literal(true),
  outcome: z.enum(['applied', 'duplicate', 'ignored']),
  event: z.string().optional(),
  reason: z.string().optional(),
  position: z.string().optional(),
});
