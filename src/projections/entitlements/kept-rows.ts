import type { CustomerObservation } from '../../policy/customer-sights.js';
import type {
  CheckoutObservation,
  CheckoutStart,
  InvoiceObservation,
  Observation,
  PaymentObservation,
} from '../../policy/facts.js';
import type { GrowingList } from '../../policy/growing-list.js';
import type { CustomerWord } from '../../policy/ownership.js';

/**
 * A subscription with all its facts. `link` is ops' latest one; `customerDeleted` says what was seen of its customer;
 * `checkouts` are the facts of the sessions that name it, another list whenever there are more;
 * `payments` are the facts of the payments `joined` to it.
 */
export interface KeptSubscription {
  readonly subscription: string;
  customer: string | null;
  owner: string | null;
  conflicts: string | null;
  link: string | null;
  customerDeleted: boolean;
  readonly observations: GrowingList<Observation>;
  readonly invoices: GrowingList<InvoiceObservation>;
  checkouts: readonly CheckoutObservation[];
  readonly payments: GrowingList<PaymentObservation>;
  readonly joined: Set<string>;
}

/** A customer with those of its facts that matter. `word` is what they say of its subscriptions. */
export interface KeptCustomer {
  readonly customer: string;
  word: CustomerWord;
  conflicts: string | null;
  link: string | null;
  observations: readonly CustomerObservation[];
}

/**
 * A checkout session with all its facts; `customer` and `subscription` are what it names, once known. Of one that is a
 * purchase `owner` is whose it is; `link` is ops' latest one, `started` what Tenure started it to sell, `payments` the facts
 * of the payments `joined` to it.
 */
export interface KeptCheckout {
  readonly session: string;
  customer: string | null;
  subscription: string | null;
  owner: string | null;
  conflicts: string | null;
  link: string | null;
  started: CheckoutStart | null;
  readonly observations: GrowingList<CheckoutObservation>;
  readonly payments: GrowingList<PaymentObservation>;
  readonly joined: Set<string>;
}

/**
 * A payment by one of its ids, with the facts that are told under it: `others` are further ids of it, `invoices` and
 * `sessions` what is named with this one. `isJoined`: an invoice or session is named with one of all its ids.
 */
export interface KeptPayment {
  readonly payment: string;
  readonly observations: GrowingList<PaymentObservation>;
  readonly others: Set<string>;
  readonly invoices: Set<string>;
  readonly sessions: Set<string>;
  isJoined: boolean;
}

/** An invoice with the ids of payments that are named with it, and the subscriptions that it is of. */
export interface KeptInvoice {
  readonly invoice: string;
  readonly payments: Set<string>;
  readonly subscriptions: Set<string>;
}

/** What is kept in memory and dropped by itself. */
export type Keepable = 'subscription' | 'customer' | 'checkout' | 'payment' | 'invoice' | 'user';

/** Whether a subscription has a fact of its own; one that only a checkout names has none yet. */
export function hasFacts({ observations, invoices, link }: KeptSubscription): boolean {
  return observations.length > 0 || invoices.length > 0 || link !== null;
}
