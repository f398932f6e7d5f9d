import type { CheckoutObservation, InvoiceObservation, Observation } from '../../policy/facts.js';
import type { CustomerObservation, CustomerWord } from '../../policy/ownership.js';

/**
 * A subscription with all its facts. `link` is ops' latest one; `customerDeleted` says what was seen of its customer;
 * `checkouts` are the facts of the sessions that name it, another list whenever there are more.
 */
export interface KeptSubscription {
  readonly subscription: string;
  customer: string | null;
  owner: string | null;
  conflicts: string | null;
  link: string | null;
  customerDeleted: boolean;
  readonly observations: Observation[];
  readonly invoices: InvoiceObservation[];
  checkouts: readonly CheckoutObservation[];
}

/** A customer with those of its facts that matter. `word` is what they say of its subscriptions. */
export interface KeptCustomer {
  readonly customer: string;
  word: CustomerWord;
  conflicts: string | null;
  link: string | null;
  observations: readonly CustomerObservation[];
}

/** A checkout session with all its facts; `customer` and `subscription` are what it names, once known. */
export interface KeptCheckout {
  readonly session: string;
  customer: string | null;
  subscription: string | null;
  readonly observations: CheckoutObservation[];
}

/** What is kept in memory and dropped by itself. */
export type Keepable = 'subscription' | 'customer' | 'checkout' | 'user';
