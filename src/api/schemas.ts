import { z } from 'zod';
import { entitlementSchema } from '../projections/entitlements/user-row.js';
import { FEATURE_REASONS } from './features/feature-decision.js';
import { ProblemError } from './http/problem.js';

/** Bodies of requests and answers: one schema each, for validation and for the OpenAPI document alike. */
const userId = z.string().min(1).max(255);
const limit = z.union([z.number(), z.literal('unlimited')]);

export const batchRequest = z.strictObject({ userIds: z.array(userId).min(1).max(100) });
export const linkRequest = z.strictObject({ userId, reason: z.string().max(500).optional() });
export const linksRequest = z.strictObject({
  links: z
    .array(
      z.strictObject({
        customerId: z.string().min(1).max(255),
        userId,
        reason: z.string().max(500).optional(),
      }),
    )
    .min(1)
    .max(1_000),
});

export const snapshotSchema = z.intersection(
  entitlementSchema,
  z.object({
    userId,
    revocationVersion: z.number().int(),
    position: z.string().nullable(),
    changedAt: z.string().nullable(),
  }),
);
export const batchResponse = z.object({ position: z.string(), entitlements: z.array(snapshotSchema) });
export const featureResponse = z.object({
  allowed: z.boolean(),
  reason: z.enum(FEATURE_REASONS),
  plan: z.string(),
  limit: limit.optional(),
  used: z.number().optional(),
  remaining: limit.optional(),
  upgradeTo: z.string().optional(),
});
export const recordedResponse = z.object({
  outcome: z.enum(['applied', 'duplicate']),
  event: z.string().optional(),
  position: z.string().optional(),
});
export const linksResponse = z.object({
  results: z.array(recordedResponse.extend({ customerId: z.string() })),
});
export const webhookResponse = z.object({
  received: z.literal(true),
  outcome: z.enum(['applied', 'duplicate', 'ignored']),
  event: z.string().optional(),
  reason: z.string().optional(),
  position: z.string().optional(),
});
export const unlinkedResponse = z.object({
  items: z.array(
    z.object({ kind: z.enum(['customer', 'subscription']), id: z.string(), customer: z.string().nullable() }),
  ),
  next: z.string().nullable(),
});
export const conflictsResponse = z.object({
  items: z.array(
    z.object({
      kind: z.enum(['customer', 'subscription']),
      id: z.string(),
      owner: z.string(),
      claims: z.array(z.object({ userId: z.string(), eventId: z.string() })),
    }),
  ),
  next: z.string().nullable(),
});
export const readyResponse = z.object({
  status: z.enum(['ready', 'degraded', 'not_ready']),
  problems: z.array(z.string()),
  projection: z.object({
    state: z.string(),
    position: z.string().nullable(),
    head: z.string().nullable(),
    lagEvents: z.number(),
    lagSeconds: z.number(),
    fault: z
      .object({ position: z.string(), type: z.string(), code: z.string(), message: z.string() })
      .nullable(),
  }),
});

/** Parses a request body. @throws ProblemError `invalid_request` that names what is wrong */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues
    .slice(0, 5)
    .map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
  throw new ProblemError('invalid_request', problems.join('; '));
}
