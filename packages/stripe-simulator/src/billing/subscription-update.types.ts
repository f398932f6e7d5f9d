import type { Changes, Subscription, SubscriptionItem } from '../types.js';
import type { Presence } from './payments.js';
import type { PaymentBehavior } from './subscription-create.js';

export type ProrationBehavior = 'create_prorations' | 'always_invoice' | 'none';

export interface SubscriptionUpdate {
  /** Items after the update; those whose period begins anew are told by `resetsCycle`. */
  readonly items: readonly SubscriptionItem[];
  /** Fields that change along, at once under every behaviour. */
  readonly fields: Omit<Changes<Subscription>, 'items'>;
  readonly proration: ProrationBehavior;
  readonly prorationDate: number | null;
  readonly behaviour: PaymentBehavior;
  readonly presence: Presence;
  /** Billing begins anew now: `billing_cycle_anchor: now`, a trial that ends, or another interval. */
  readonly resetsCycle: 'yes' | 'no';
  /** A trial that is given or cut short (Unix seconds), `null` to end it now, `undefined` to leave it. */
  readonly trialEnd: number | null | undefined;
}
