import { z } from 'zod';
import { entitlementSchema, pendingPaymentSchema } from '../projections/entitlements/user-row.js';
import type { Listing } from '../projections/read-models/ops.reader.js';
import type { ListedFraudWarning, UnjoinedPayment } from '../projections/read-models/payments.reader.js';
import { FEATURE_REASONS } from './features/feature-decision.js';

/** Bodies of requests and answers: one schema each, for validation and for the OpenAPI document alike. */
const userId = z.string().min(1).max(255);
/** Free text that can be kept byte for byte: no U+0000, no lone surrogates. */
const keptText = z
  .string()
  .max(500)
  .regex(/^[^\0\p{Surrogate}]*$/u, 'holds what cannot be kept');
const reason = keptText.optional();
/** Why ops do something that is recorded with its reason. */
export const requiredReason = keptText.min(1);
const limit = z.union([z.number(), z.literal('unlimited')]);

export const batchRequest = z.strictObject({ userIds: z.array(userId).min(1).max(100) });
export const linkRequest = z.strictObject({ userId, reason });
export const linksRequest = z.strictObject({
  links: z
    .array(
      z.strictObject({
        customerId: z.string().min(1).max(255),
        userId,
        reason,
      }),
    )
    .min(1)
    .max(1_000),
});
export type BatchRequest = z.infer<typeof batchRequest>;
export type LinkRequest = z.infer<typeof linkRequest>;
export type LinksRequest = z.infer<typeof linksRequest>;

/**
 * Said only of whom an event could not be applied, and since when: what stands beside it is as it was without that event, or
 * as it was before.
 */
export const faultedSchema = z.strictObject({ since: z.string(), position: z.string() });
const servedSnapshotSchema = entitlementSchema.extend({
  userId,
  revocationVersion: z.number().int(),
  position: z.string().nullable(),
  changedAt: z.string().nullable(),
  faulted: faultedSchema.optional(),
});
export const snapshotSchema = servedSnapshotSchema.extend({
  scheduledChange: z
    .strictObject({
      plan: z.string(),
      interval: z.string().nullable().describe('label of the price; null where nothing is paid'),
      at: z.string(),
    })
    .nullable()
    .describe("what comes at the period's end; outside the version"),
});
/** A snapshot as of a moment: what was served at `knownAt`, or what is judged by both clocks. */
export const asOfSnapshotSchema = servedSnapshotSchema.extend({
  revocationVersion: z.number().int().nullable().describe('null where `at` was asked for'),
  position: z.string().nullable().describe('of the last event known by `knownAt`'),
  asOf: z.strictObject({
    at: z.string(),
    knownAt: z.string(),
    since: z.string().nullable().describe('when the first happened that was known of the user'),
  }),
  unobserved: z.literal(true).optional().describe('nothing had been known of the user at that moment'),
});
/** The entry of a user who was erased. */
export const erasedEntrySchema = z.strictObject({ userId: z.string(), code: z.literal('user_erased') });
export const batchResponse = z.strictObject({
  position: z.string(),
  entitlements: z.array(z.union([snapshotSchema, erasedEntrySchema])),
});
export const featureResponse = z.strictObject({
  allowed: z.boolean(),
  reason: z.enum(FEATURE_REASONS),
  plan: z.string(),
  limit: limit.optional(),
  used: z.number().optional(),
  remaining: limit.optional(),
  over: z.number().optional().describe('by how much more is used than the limit allows'),
  upgradeTo: z.string().optional(),
  faulted: faultedSchema.optional(),
});
export const usageRequest = z.strictObject({
  value: z.int().min(0).max(Number.MAX_SAFE_INTEGER).describe('how much is in use now'),
});
export type UsageRequest = z.infer<typeof usageRequest>;
/** Why a part of an answer is as it is: `of` which part, by which rule (docs/POLICY.md). */
export const reasonSchema = z.strictObject({
  of: z.string().describe('`plan`, `status`, `feature:…`, `limit:…`, `subscription:…` and so on'),
  code: z.string().describe('of the rule that decided, stable'),
  words: z.string(),
  facts: z.record(z.string(), z.unknown()).describe('what the rule decided by; times in RFC 3339'),
  events: z
    .array(
      z.strictObject({
        id: z.string().nullable(),
        type: z.string().nullable(),
        stripeEventId: z.string().nullable(),
        position: z.string().nullable(),
      }),
    )
    .describe('that told these facts; null is what the streams of the user do not hold any more'),
});
const reasons = { reasons: z.array(reasonSchema).optional().describe('with `explain=true`') };
export const explainedSnapshotSchema = snapshotSchema.extend(reasons);
/** What a user may do now, or as of a moment. */
export const anySnapshotSchema = z.union([explainedSnapshotSchema, asOfSnapshotSchema.extend(reasons)]);
export const explainedFeatureResponse = featureResponse.extend(reasons);
export const recordedResponse = z.strictObject({
  outcome: z.enum(['applied', 'duplicate']),
  event: z.string().optional(),
  position: z.string().optional(),
});
export const linksResponse = z.strictObject({
  results: z.array(
    recordedResponse.extend({
      customerId: z.string(),
      outcome: z.enum(['applied', 'duplicate', 'failed', 'not_tried']),
      /** Code and detail of the problem, of what failed. */
      code: z.string().optional(),
      detail: z.string().optional(),
    }),
  ),
});
export const unlinkedResponse = z.strictObject({
  items: z.array(
    z.strictObject({
      kind: z.enum(['checkout', 'customer', 'subscription']),
      id: z.string(),
      customer: z.string().nullable(),
    }),
  ),
  next: z.string().nullable(),
});
export const conflictsResponse = z.strictObject({
  items: z.array(
    z.strictObject({
      kind: z.enum(['checkout', 'customer', 'subscription']),
      id: z.string(),
      owner: z.string(),
      claims: z.array(z.strictObject({ userId: z.string(), eventId: z.string() })),
    }),
  ),
  next: z.string().nullable(),
});
export const unmappedPricesResponse = z.strictObject({
  items: z.array(
    z.strictObject({
      price: z.string(),
      users: z.number().int().describe('for whom it gives nothing'),
      adopted: z
        .strictObject({ users: z.number().int(), plans: z.array(z.string()) })
        .describe(
          "for whom it counts as a plan's own, because they moved to it from one of that plan; which plans",
        ),
      example: z.string().describe('first of all of them by id'),
    }),
  ),
  next: z.string().nullable(),
});
export const pendingPaymentsResponse = z.strictObject({
  items: z.array(pendingPaymentSchema.extend({ userId: z.string() })),
  next: z.string().nullable(),
});
export const unjoinedPaymentsResponse = z.strictObject({
  items: z.array(
    z.strictObject({
      payment: z.string().describe('the payment intent; of a payment without one its charge'),
      charges: z.array(z.string()),
      since: z.string(),
      disputes: z
        .array(
          z.strictObject({
            dispute: z.string(),
            status: z.string(),
            amount: z.number().int().nullable(),
            currency: z.string().nullable(),
          }),
        )
        .describe('those that ask money back'),
      refunded: z
        .strictObject({ amount: z.number().int().nullable(), currency: z.string().nullable() })
        .nullable(),
    }),
  ),
  next: z.string().nullable(),
}) satisfies z.ZodType<Listing<UnjoinedPayment>>;
export const fraudWarningsResponse = z.strictObject({
  items: z.array(
    z.strictObject({
      payment: z.string(),
      warning: z.string(),
      fraudType: z.string().nullable(),
      charge: z.string().nullable(),
      at: z.string(),
      invoices: z.array(z.string()).describe('that the payment paid'),
      users: z.array(z.string()).describe('whose subscriptions these invoices are of'),
    }),
  ),
  next: z.string().nullable(),
}) satisfies z.ZodType<Listing<ListedFraudWarning>>;
const fault = {
  id: z.string(),
  position: z.string(),
  type: z.string(),
  code: z.string(),
  message: z.string(),
  since: z.string(),
};
export const faultsResponse = z.strictObject({
  items: z.array(
    z.discriminatedUnion('kind', [
      z.strictObject({
        kind: z.literal('stream'),
        ...fault,
        waiting: z.number().int(),
        users: z.array(z.string()),
      }),
      z.strictObject({ kind: z.literal('user'), ...fault }),
    ]),
  ),
  next: z.string().nullable(),
});
/** Streams that are set aside, and users who are marked. */
export const setAsideCounts = z.strictObject({ streams: z.number().int(), users: z.number().int() });
export const liveResponse = z.strictObject({ status: z.literal('live'), version: z.string() });
export const readyResponse = z.strictObject({
  status: z.enum(['ready', 'degraded', 'not_ready']),
  version: z.string(),
  problems: z.array(z.string()),
  eventStore: z.enum(['postgresql', 'eventstoredb']),
  projection: z.strictObject({
    state: z.string(),
    position: z.string().nullable(),
    head: z.string().nullable(),
    lagEvents: z.number(),
    lagSeconds: z.number(),
    fault: z
      .object({ position: z.string(), type: z.string(), code: z.string(), message: z.string() })
      .nullable(),
    setAside: setAsideCounts,
  }),
});
