/** What each rule on a status gives: a plan under that status, only what a paid line covers, or nothing (DESIGN 8). */
export const GIVEN_BY = {
  status_active: 'active',
  status_trialing: 'trialing',
  status_past_due: 'past_due',
  grace_over: 'paidOnly',
  status_unpaid: 'paidOnly',
  status_paused: 'none',
  status_incomplete: 'none',
  status_canceled: 'none',
  status_unknown: 'none',
  customer_deleted: 'none',
  cancellation_reached: 'none',
  collection_paused: 'none',
  trial_over: 'none',
} as const;

/** A row of the table of DESIGN 8, or a rule that goes before it. */
export type StatusRule = keyof typeof GIVEN_BY;

/** The row of the table of DESIGN 8 by Stripe's status (Stripe: The Subscription object, `status`). */
export const RULE_OF_STATUS: ReadonlyMap<string, StatusRule> = new Map([
  ['active', 'status_active'],
  ['trialing', 'status_trialing'],
  ['past_due', 'status_past_due'],
  ['unpaid', 'status_unpaid'],
  ['paused', 'status_paused'],
  ['incomplete', 'status_incomplete'],
  ['incomplete_expired', 'status_incomplete'],
  ['canceled', 'status_canceled'],
]);

/** Whether a status is one that Stripe's enumeration has today; others give no access and are counted. */
export function isKnownStatus(status: string): boolean {
  return RULE_OF_STATUS.has(status);
}
