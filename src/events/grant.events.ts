import { z } from 'zod';
import { limitSchema } from './catalog.events.js';

const instant = z.iso.datetime({ precision: 3 });

/**
 * Somebody gives a user a plan, add-ons, features or limits by hand. `grant` is its id; `plan` is `null` where none is given;
 * `addons` are units by the name of the add-on. Without `startsAt` it holds from when it was recorded, without `expiresAt`
 * until it is revoked. `actor` is who gives it, as the caller says: who called stands in the metadata.
 */
export const grantIssuedSchema = z.strictObject({
  grant: z.string(),
  userId: z.string(),
  plan: z.string().nullable(),
  addons: z.record(z.string(), z.int().positive()),
  features: z.array(z.string()),
  limits: z.record(z.string(), limitSchema),
  startsAt: instant.nullable(),
  expiresAt: instant.nullable(),
  reason: z.string(),
  actor: z.string(),
});
export type GrantIssuedData = z.infer<typeof grantIssuedSchema>;

/** Somebody takes a grant back, from when that was recorded. */
export const grantRevokedSchema = z.strictObject({
  grant: z.string(),
  userId: z.string(),
  reason: z.string().nullable(),
  actor: z.string(),
});
export type GrantRevokedData = z.infer<typeof grantRevokedSchema>;
