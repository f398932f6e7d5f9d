import type { Entitlement } from '../../policy/entitlement.js';

/** What users are mailed about, each with a text and an HTML template of its name. */
export const MAIL_KINDS = [
  'upgrade',
  'downgrade',
  'cancellation',
  'ended',
  'payment_failed',
  'trial_ending',
] as const;
export type MailKind = (typeof MAIL_KINDS)[number];

/** What templates may show: plans now and before, the day of the end that the mail is about (UTC), and the user's id. */
export const MAIL_FIELDS = ['plan', 'before', 'date', 'userId'] as const;
export type MailFields = Readonly<Record<(typeof MAIL_FIELDS)[number], string>>;

/** The mail that a change is, `null`: none. `rankOf` tells the rank of a plan, `null` where the catalogue has it no more. */
export function mailOf(
  before: Entitlement,
  after: Entitlement,
  rankOf: (plan: string) => number | null,
): MailKind | null {
  if (before.source !== null && after.source === null) return before.cancelAt === null ? 'ended' : null;
  if (before.plan !== after.plan) {
    const [was, is] = [rankOf(before.plan), rankOf(after.plan)];
    if (was === null || is === null || was === is) return null;
    return is > was ? 'upgrade' : 'downgrade';
  }
  return after.cancelAt !== null && before.cancelAt === null ? 'cancellation' : null;
}

/** The day of an instant (RFC 3339), in UTC; empty where there is none. */
export function dayOf(instant: string | null): string {
  return instant?.slice(0, 10) ?? '';
}
