import { z } from 'zod';
import { eventMetadataSchema } from '../../events/metadata.js';
import { entitlementSchema } from '../../projections/entitlements/user-row.js';
import { reasonSchema } from '../schemas.js';

/** An event of the log as a line, or the last line, which says where to go on. */
export const auditLineSchema = z.union([
  z.strictObject({
    position: z.string(),
    stream: z.string(),
    revision: z.number().int(),
    id: z.string(),
    type: z.string(),
    data: z.record(z.string(), z.unknown()).describe('as it was written, in whatever schema version'),
    metadata: z.looseObject({
      stripeEventId: eventMetadataSchema.shape.stripeEventId,
      stripeEventType: eventMetadataSchema.shape.stripeEventType,
      actor: z.string(),
      recordedAt: z.string(),
      hash: z.string(),
    }),
  }),
  z.strictObject({
    cursor: z.string().nullable().describe('position of the last event that was looked at; go on with it'),
    complete: z.boolean().describe('false where the service stopped before the end'),
  }),
]);

const fromStripe = z.strictObject({
  eventId: z.string().nullable().describe('null of an answer of its API'),
  eventType: z.string().nullable(),
  created: z.string(),
});

/** What made a snapshot hold. */
const causeSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('time'), at: z.string() }),
  z.strictObject({
    kind: z.literal('event'),
    id: z.string(),
    type: z.string(),
    position: z.string(),
    actor: z.string().nullable().describe('who recorded it: a key or an operator, of what was done by hand'),
    recordedAt: z.string().nullable(),
    reason: z.string().nullable().describe('why, where whoever did it by hand said so'),
    stripe: fromStripe.nullable().describe('null of what is not from Stripe'),
  }),
]);

const upgradeSchema = z.strictObject({
  from: z.string(),
  to: z.string(),
  payment: z
    .strictObject({
      invoice: z.string(),
      customer: z.string().nullable().describe('who paid'),
      amountPaid: z.number().nullable().describe('minor units'),
      currency: z.string().nullable(),
      paidAt: z.string().nullable(),
      stripeEventId: z.string().nullable(),
    })
    .nullable()
    .describe('null where the plan counted without a payment'),
});

/** A page of the snapshots of a user, each with what made it hold. */
export const historySchema = z.strictObject({
  items: z.array(
    z.strictObject({
      from: z.string(),
      until: z.string().nullable().describe('null of what nothing has followed yet'),
      snapshot: entitlementSchema,
      changed: z
        .array(z.strictObject({ field: z.string(), before: z.unknown(), after: z.unknown() }))
        .describe('against the snapshot before; of the first against what everyone has by default'),
      cause: causeSchema,
      upgrade: upgradeSchema.optional().describe('with `kind=upgrade`'),
      reasons: z
        .array(reasonSchema)
        .nullable()
        .optional()
        .describe('with `explain=true`; null of what the running code judges otherwise'),
    }),
  ),
  next: z.string().nullable(),
});
