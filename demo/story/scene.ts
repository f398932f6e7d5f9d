import type { StripeEvent } from '../stripe/simulated-subscription.js';

/** How an event travels. Only `signed` is what Stripe does; the others are what an attacker would try. */
export type Delivery =
  | { readonly how: 'signed'; readonly event: StripeEvent }
  /** Signed by Stripe, then changed on the way into `body`. */
  | { readonly how: 'altered'; readonly event: StripeEvent; readonly body: string }
  /** Signed with a secret that is not ours. */
  | { readonly how: 'foreign'; readonly event: StripeEvent }
  /** Signed rightly, ten minutes ago: caught once and replayed. */
  | { readonly how: 'old'; readonly event: StripeEvent }
  | { readonly how: 'unsigned'; readonly event: StripeEvent };

/** What must be true of the answer and, right after it, of the user's entitlements. */
export interface Expectation {
  /** `refused`: 400, nothing stored. */
  readonly outcome: 'applied' | 'duplicate' | 'refused';
  readonly role: string;
  readonly plan: string;
  readonly status: string;
  /** The revocation version. */
  readonly version: string;
  /** Plan that waits for its payment; absent: none does. */
  readonly pending?: string;
}

export interface WebhookStep {
  readonly kind: 'webhook';
  /** What this delivery is, in a few words. */
  readonly says: string;
  readonly delivery: Delivery;
  readonly expect: Expectation;
}

/** A look at `GET /v1/ops/unlinked`. */
export interface UnlinkedStep {
  readonly kind: 'unlinked';
  readonly subscription: string;
  readonly expect: 'listed' | 'not listed';
}

export type Step = WebhookStep | UnlinkedStep;

export interface Scene {
  readonly title: string;
  /** Why it is worth seeing, in one sentence. */
  readonly moral: string;
  /** Whose entitlements are looked at after each step. */
  readonly userId: string;
  readonly steps: readonly Step[];
}

/** A rightly signed delivery. */
export function signed(says: string, event: StripeEvent, expect: Expectation): WebhookStep {
  return { kind: 'webhook', says, delivery: { how: 'signed', event }, expect };
}
