import type { Entitlement } from '../../policy/entitlement.js';
import { snapshotAt, type UserRow } from './user-row.js';

/** What a user's plan becomes at the period's end; `interval` is the label of its price, null where nothing is paid for it. */
export interface ScheduledChange {
  readonly plan: string;
  readonly interval: string | null;
  /** RFC 3339. */
  readonly at: string;
}

/** What somebody asked for and a subscription schedule is to bring, at `at` (Unix ms). */
export interface PlannedChange extends Omit<ScheduledChange, 'at'> {
  readonly subscription: string;
  readonly at: number;
}

/**
 * What is to come of the subscription that gives the plan (DESIGN 10): its end, which Stripe says, or else what its
 * schedule brings. Of a schedule Stripe says no more than that there is one, so what it brings is what was asked for.
 */
export function scheduledChange(
  row: UserRow,
  entitlement: Entitlement,
  planned: PlannedChange | null,
  now: number,
): ScheduledChange | null {
  const { source, cancelAt } = entitlement;
  if (source?.type !== 'subscription') return null;
  if (cancelAt !== null) {
    const at = Date.parse(cancelAt);
    return at <= now ? null : { plan: snapshotAt(row, at).entitlement.plan, interval: null, at: cancelAt };
  }
  if (planned === null || planned.subscription !== source.subscriptionId || planned.at <= now) return null;
  const { plan, interval, at } = planned;
  return { plan, interval, at: new Date(at).toISOString() };
}
