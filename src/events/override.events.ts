import { z } from 'zod';
import { limitSchema } from './catalog.events.js';

/**
 * Somebody sets what a user has of one key, whatever was bought: a feature on or off (`value` is a boolean), a limit at a
 * value, or so much more or less of it (`add`); the one of both that is not meant is `null`. Without `expiresAt` it holds
 * until it is removed. `actor` is who sets it, as the caller says.
 */
export const overrideSetSchema = z.strictObject({
  userId: z.string(),
  key: z.string(),
  value: z.union([z.boolean(), limitSchema]).nullable(),
  add: z.int().nullable(),
  expiresAt: z.iso.datetime({ precision: 3 }).nullable(),
  reason: z.string(),
  actor: z.string(),
});
export type OverrideSetData = z.infer<typeof overrideSetSchema>;

/** Somebody removes what was set of a key, as a feature and as a limit. */
export const overrideRemovedSchema = z.strictObject({
  userId: z.string(),
  key: z.string(),
  reason: z.string().nullable(),
  actor: z.string(),
});
export type OverrideRemovedData = z.infer<typeof overrideRemovedSchema>;

/** What an override sets: a key that is both has one of each. */
export type OverrideKind = 'feature' | 'limit';

/** Which of both an override is of, told by its value. */
export function overrideKindOf({ value }: Pick<OverrideSetData, 'value'>): OverrideKind {
  return typeof value === 'boolean' ? 'feature' : 'limit';
}
