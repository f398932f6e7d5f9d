import { z } from 'zod';

const key = z.string().min(1).max(100);
const limit = z.union([z.int().nonnegative(), z.literal('unlimited')], {
  error: 'a whole number from 0, or unlimited',
});
/** Free text that is kept for good: no control characters, no lone surrogates. */
const keptLine = z
  .string()
  .min(1)
  .regex(/^[^\p{Cc}\p{Surrogate}]*$/u, 'holds a control character');
export const keptReason = keptLine.max(500).describe('why, kept for good');
export const keptActor = keptLine.max(255).describe("who does it; left out: the name of the caller's key");
const MOST = 100;
const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z');
const instant = z.iso
  .datetime({ offset: true, error: 'must be a time of RFC 3339, such as 2026-12-01T00:00:00Z' })
  .refine((text) => Date.parse(text) >= 0 && Date.parse(text) <= LAST_MS, 'lies too far away')
  .nullish();

export const grantRequest = z
  .strictObject({
    plan: key.optional(),
    addons: z.record(key, z.int().min(1).max(1_000_000)).optional().describe('units by add-on'),
    features: z.array(key).max(MOST).optional(),
    limits: z.record(key, limit).optional(),
    startsAt: instant.describe('left out: now'),
    expiresAt: instant.describe('not included; left out: never'),
    reason: keptReason,
    actor: keptActor.optional(),
  })
  .refine(
    ({ plan, addons = {}, features = [], limits = {} }) =>
      plan !== undefined || [addons, features, limits].some((given) => Object.keys(given).length > 0),
    'gives nothing',
  );
export type GrantRequest = z.infer<typeof grantRequest>;

export const overrideRequest = z
  .strictObject({
    value: z
      .union([z.boolean(), limit], { error: 'true, false, a whole number from 0, or unlimited' })
      .optional()
      .describe('of a feature true or false, of a limit its value'),
    add: z.int().optional().describe('in place of a value of a limit: so much more, or less'),
    expiresAt: instant.describe('not included; left out: never'),
    reason: keptReason,
    actor: keptActor.optional(),
  })
  .refine(({ value, add }) => (value === undefined) !== (add === undefined), 'needs either value or add');
export type OverrideRequest = z.infer<typeof overrideRequest>;

const withdrawal = { at: z.string(), reason: z.string().nullable(), actor: z.string() };
const grant = {
  grantId: z.string(),
  plan: z.string().nullable(),
  addons: z.record(z.string(), z.number()),
  features: z.array(z.string()),
  limits: z.record(z.string(), limit),
  startsAt: z.string().nullable(),
  expiresAt: z.string().nullable(),
  reason: z.string(),
  actor: z.string(),
};
export const issuedResponse = z.strictObject({
  ...grant,
  userId: z.string(),
  outcome: z.enum(['applied', 'duplicate']),
  position: z.string().optional(),
});
export const grantsResponse = z.strictObject({
  grants: z.array(
    z.strictObject({
      ...grant,
      state: z.enum(['holds', 'to_come', 'ended', 'revoked', 'without_effect']),
      missing: z
        .array(z.string())
        .describe(
          'what of it the catalogue does not have any more: `plan:…`, `addon:…`, `feature:…`, `limit:…`',
        ),
      issuedAt: z.string(),
      revoked: z.strictObject(withdrawal).nullable(),
    }),
  ),
});
export type GrantsResponse = z.infer<typeof grantsResponse>;
const held = z.union([z.boolean(), limit]);
export const overridesResponse = z.strictObject({
  overrides: z.array(
    z.strictObject({
      key: z.string(),
      kind: z.enum(['feature', 'limit']),
      value: held.describe('what holds'),
      planValue: held.describe('what would hold without overrides'),
      overrideValue: held.nullable().describe('what the override makes of that; null while it does nothing'),
      add: z.number().nullable(),
      state: z.enum(['in_force', 'ended', 'without_effect']),
      setAt: z.string(),
      expiresAt: z.string().nullable(),
      reason: z.string(),
      actor: z.string(),
    }),
  ),
});
export type OverridesResponse = z.infer<typeof overridesResponse>;
