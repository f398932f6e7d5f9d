import { TenureError } from './errors.js';
import { isRecord, type Limit } from './snapshot.js';

/** What Stripe says of a price; null as long as it has not said anything. */
export interface PlanPrice {
  readonly name: string;
  readonly id: string | null;
  readonly active: boolean | null;
  /** Minor units, of one unit of quantity. */
  readonly amount: number | null;
  /** Minor units, where they are no whole number. */
  readonly amountDecimal?: string;
  readonly currency: string | null;
  /** Null of a price that is paid once. */
  readonly interval: string | null;
  readonly intervalCount: number | null;
  readonly usageType: string | null;
}

export interface Plan {
  readonly plan: string;
  readonly isDefault: boolean;
  readonly rank: number;
  readonly role: string;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, Limit>>;
  readonly perUnit: Readonly<Record<string, number>>;
  readonly sellable: boolean;
  readonly trialDays: number;
  /** Prices by the label of the plan file, such as `monthly`. */
  readonly prices: Readonly<Record<string, PlanPrice>>;
}

export interface Addon {
  readonly addon: string;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, Limit>>;
  readonly prices: readonly PlanPrice[];
}

/** Plans by rank, and add-ons, as `GET /v1/plans` answers. */
export interface Plans {
  readonly plans: readonly Plan[];
  readonly addons: readonly Addon[];
}

/** What is to be bought, as `POST /v1/checkout/sessions` takes it. */
export interface CheckoutChoice {
  readonly plan: string;
  /** The label of the price, such as `monthly`. */
  readonly interval: string;
  readonly quantity?: number;
  readonly addons?: Readonly<Record<string, number>>;
  readonly successUrl: string;
  readonly cancelUrl: string;
  readonly trial?: boolean;
  readonly uiMode?: 'hosted' | 'embedded';
}

/** `checkout`, `portal` and `invoice` have a page of Stripe's to go to; of `done` nothing is left to do. */
export interface Checkout {
  readonly kind: 'checkout' | 'portal' | 'invoice' | 'done';
  readonly sessionId: string | null;
  readonly url: string | null;
  readonly clientSecret: string | null;
  readonly expiresAt: string | null;
}

/** @throws TenureError `malformed_answer` */
export function parsePlans(value: unknown): Plans {
  if (isPlans(value)) return value;
  throw new TenureError('malformed_answer', 'This is no list of plans.');
}

/** @throws TenureError `malformed_answer` */
export function parseCheckout(value: unknown): Checkout {
  if (isCheckout(value)) return value;
  throw new TenureError('malformed_answer', 'This is no checkout.');
}

function isPlans(value: unknown): value is Plans {
  return (
    isRecord(value) &&
    Array.isArray(value.addons) &&
    Array.isArray(value.plans) &&
    value.plans.every(
      (plan) =>
        isRecord(plan) &&
        typeof plan.plan === 'string' &&
        isRecord(plan.prices) &&
        Array.isArray(plan.features),
    )
  );
}

/** A page to go to is one of the web: a URL of another scheme would run in the page. */
function isCheckout(value: unknown): value is Checkout {
  if (!isRecord(value) || typeof value.kind !== 'string') return false;
  return value.url === null || (typeof value.url === 'string' && /^https?:/.test(value.url));
}
