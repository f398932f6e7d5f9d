import { mayClaim } from './checkout-states.js';
import type { CheckoutObservation } from './facts.js';
import { compareFactOrigins } from './order.js';

/**
 * Of the checkout sessions that name a customer, what whose it is can hang on (DESIGN 6): for each user the earliest
 * observation that claims it by metadata, and the earliest by reference. Kept and extended, so that a customer who buys
 * thousands of times costs as much as one who buys once.
 */
export class CheckoutClaims {
  readonly #byMetadata = new Map<string, CheckoutObservation>();
  readonly #byReference = new Map<string, CheckoutObservation>();

  /** Adds an observation; tells whether it is one that matters, now or once more is told. */
  add(observation: CheckoutObservation): boolean {
    if (!mayClaim(observation)) return false;
    const { metadataUserId, clientReferenceId } = observation.data;
    const claims = keepEarliest(this.#byMetadata, metadataUserId, observation);
    return keepEarliest(this.#byReference, clientReferenceId, observation) || claims;
  }

  /** Those that matter, each once: what `customerWord` and `customerConflicts` say of them they say of all. */
  get observations(): readonly CheckoutObservation[] {
    return [...new Set([...this.#byMetadata.values(), ...this.#byReference.values()])];
  }
}

function keepEarliest(
  earliest: Map<string, CheckoutObservation>,
  userId: string | null,
  observation: CheckoutObservation,
): boolean {
  if (userId === null) return false;
  const known = earliest.get(userId);
  if (known !== undefined && compareFactOrigins(known, observation) <= 0) return false;
  earliest.set(userId, observation);
  return true;
}
