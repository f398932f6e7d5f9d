import { z } from 'zod';

/**
 * What stands beside the data of every event. Stripe's fields are `null` for events that are not from Stripe;
 * an answer of its API has no event id and type, and `stripeCreated` is the second of its `Date` header.
 * `stripeCreated` is Stripe's second (Unix seconds); `recordedAt` is the writer's clock (RFC 3339, UTC, ms) and the
 * only recording time that is used. `prevHash` and `hash` are 64 lower-case hexadecimal digits.
 */
export const eventMetadataSchema = z.strictObject({
  stripeEventId: z.string().nullable(),
  stripeEventType: z.string().nullable(),
  stripeCreated: z.number().int().nullable(),
  apiVersion: z.string().nullable(),
  livemode: z.boolean().nullable(),
  correlationId: z.string(),
  causationId: z.string().nullable(),
  actor: z.string(),
  recordedAt: z.iso.datetime({ precision: 3 }),
  schemaVersion: z.number().int().positive(),
  prevHash: z.string().regex(/^[0-9a-f]{64}$/),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
});
export type EventMetadata = z.infer<typeof eventMetadataSchema>;
