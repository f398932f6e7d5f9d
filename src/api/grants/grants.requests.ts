import { z } from 'zod';
import type { Caller } from '../../auth/caller.js';
import type { Origin } from '../../commands/aggregate.js';
import { keptActor, keptReason } from './grants.schemas.js';

/** Query of a route that takes something back. */
export const withdrawalQuery = z.strictObject({
  reason: keptReason.optional(),
  actor: keptActor.optional(),
});
export type WithdrawalQuery = z.infer<typeof withdrawalQuery>;

/** Who takes something back, and why. */
export function withdrawalOf(
  { reason, actor }: WithdrawalQuery,
  { name }: Pick<Caller, 'name'>,
): { readonly reason: string | null; readonly actor: string } {
  return { reason: reason ?? null, actor: actor ?? name };
}

/** Where a command comes from: the caller, and the request's `Idempotency-Key` (`null`: none). */
export function originOf({ actor, requestId: correlationId }: Caller, key: string | null): Origin {
  return { actor, correlationId, causation: key === null ? null : `key:${key}`, stripe: null };
}

/** An instant as events hold it. */
export function instantOf(text: string | null | undefined): string | null {
  return text == null ? null : new Date(text).toISOString();
}
