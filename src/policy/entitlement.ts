import type { Limit } from '../events/catalog.events.js';

/** Status of what gives the plan, or the word for why nothing does (DESIGN 10). */
export type EntitlementStatus =
  | 'trialing'
  | 'active'
  | 'past_due'
  | 'granted'
  | 'canceled'
  | 'unpaid'
  | 'paused'
  | 'unknown'
  | 'none';

/** Why a higher plan that was asked for is not paid yet, the first that fits (DESIGN 8). */
export const PENDING_PAYMENT_REASONS = [
  'taken_back',
  'bank_debit',
  'sent_invoice',
  'no_invoice',
  'invoice_failed',
  'invoice_open',
] as const;
export type PendingPaymentReason = (typeof PENDING_PAYMENT_REASONS)[number];

/** A higher plan that was asked for and not paid yet. `since` is RFC 3339; `invoice` an open one for it, else null. */
export interface PendingPayment {
  readonly plan: string;
  readonly price: string;
  readonly since: string;
  readonly invoice: string | null;
  readonly reason: PendingPaymentReason;
}

/** What gives the plan; `null` in a snapshot when the default plan does. */
export type EntitlementSource =
  | { readonly type: 'subscription'; readonly subscriptionId: string; readonly customerId: string | null }
  | { readonly type: 'purchase'; readonly sessionId: string; readonly customerId: string | null }
  | { readonly type: 'grant'; readonly grantId: string };

/**
 * What one user may do at one moment, as the policy judges it: the snapshot of the API without the fields that tell
 * when Tenure learned it. Times are RFC 3339 UTC with milliseconds; lists are sorted and hold each entry once.
 */
export interface Entitlement {
  readonly role: string;
  readonly plan: string;
  readonly status: EntitlementStatus;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, Limit>>;
  readonly subscriptionActive: boolean;
  readonly expiresAt: string | null;
  readonly cancelAt: string | null;
  readonly pendingPayment: PendingPayment | null;
  readonly source: EntitlementSource | null;
  readonly unmappedPrices: readonly string[];
  readonly validUntil: string | null;
}

/** What the entitlement becomes at `at` (Unix milliseconds) if nothing but time passes. */
export interface Successor {
  readonly at: number;
  readonly entitlement: Entitlement;
}

/** A price in no plan that counts as a plan's own where a subscription moved to it from that plan's price (DESIGN 7). */
export interface AdoptedPrice {
  readonly price: string;
  readonly plan: string;
}

/**
 * The policy's answer: what holds now, and what follows by the clock alone, in ascending order of time. `adoptedPrices`, by
 * price, then plan, is for ops: of subscriptions that have not ended, and no part of what anybody is served.
 */
export interface Judgement {
  readonly entitlement: Entitlement;
  readonly successors: readonly Successor[];
  readonly adoptedPrices: readonly AdoptedPrice[];
}
