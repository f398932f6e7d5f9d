import { CheckoutClaims } from '../../policy/checkout-claims.js';
import type { CheckoutObservation, Observation } from '../../policy/facts.js';
import { compareFactOrigins } from '../../policy/order.js';
import type { KeptCheckout, KeptSubscription } from './kept-rows.js';

/**
 * The earliest claims on customers, kept once they are asked for, so that the owner of a customer is decided anew only when a
 * fact came on which it may depend: the customer is `unsettled` then.
 */
export class CustomerClaims {
  /** Of whole customers: by user the earliest observation of its subscriptions that names that user. */
  readonly #ofSubscriptions = new Map<string, Map<string, Observation>>();
  readonly #ofCheckouts = new Map<string, CheckoutClaims>();
  readonly #unsettled = new Set<string>();

  /** Notes a fact on which the owner of a customer may depend. */
  unsettle(customer: string): void {
    this.#unsettled.add(customer);
  }

  /** Whether such a fact came since this was last asked for. */
  takeUnsettled(customer: string): boolean {
    return this.#unsettled.delete(customer);
  }

  /** A subscription came to a customer, with its observations. */
  addSubscription(customer: string, observations: readonly Observation[]): void {
    const claims = this.#ofSubscriptions.get(customer);
    if (claims !== undefined) for (const observation of observations) addClaim(claims, observation);
    this.unsettle(customer);
  }

  /** A subscription left a customer: which claims remain is found when they are asked for. */
  removeSubscription(customer: string): void {
    this.#ofSubscriptions.delete(customer);
    this.unsettle(customer);
  }

  /** An observation came to a subscription of a customer. */
  addObservation(customer: string, observation: Observation): void {
    const claims = this.#ofSubscriptions.get(customer);
    if (claims === undefined || addClaim(claims, observation)) this.unsettle(customer);
  }

  /** Observations came to a checkout session that names a customer. */
  addCheckout(customer: string, observations: readonly CheckoutObservation[]): void {
    const claims = this.#ofCheckouts.get(customer);
    const matter = observations.filter((observation) => claims?.add(observation));
    if (claims === undefined || matter.length > 0) this.unsettle(customer);
  }

  /** For each user that the subscriptions of a whole customer name the earliest observation that does. */
  ofSubscriptions(customer: string, rows: Iterable<KeptSubscription>): readonly Observation[] {
    let claims = this.#ofSubscriptions.get(customer);
    if (claims === undefined) {
      claims = new Map();
      for (const { observations } of rows) {
        for (const observation of observations) addClaim(claims, observation);
      }
      this.#ofSubscriptions.set(customer, claims);
    }
    return [...claims.values()];
  }

  /** Observations of the sessions that name a whole customer, as far as its owner can depend on them. */
  ofCheckouts(customer: string, rows: Iterable<KeptCheckout>): readonly CheckoutObservation[] {
    let claims = this.#ofCheckouts.get(customer);
    if (claims === undefined) {
      claims = new CheckoutClaims();
      for (const { observations } of rows) for (const observation of observations) claims.add(observation);
      this.#ofCheckouts.set(customer, claims);
    }
    return claims.observations;
  }

  forget(customer: string): void {
    this.#ofSubscriptions.delete(customer);
    this.#ofCheckouts.delete(customer);
    this.#unsettled.delete(customer);
  }

  clear(): void {
    this.#ofSubscriptions.clear();
    this.#ofCheckouts.clear();
    this.#unsettled.clear();
  }
}

/** Adds a claim to the earliest ones; returns whether it is one of them. */
function addClaim(claims: Map<string, Observation>, observation: Observation): boolean {
  const { userId } = observation.data;
  if (userId === null) return false;
  const earliest = claims.get(userId);
  if (earliest !== undefined && compareFactOrigins(earliest, observation) <= 0) return false;
  claims.set(userId, observation);
  return true;
}
