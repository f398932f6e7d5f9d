import Stripe from 'stripe';

/**
 * A header longer than this, or with more signatures, is refused before anything is computed. Stripe signs once with each
 * active secret of an endpoint, of which there are two during a rotation (Stripe: "Roll endpoint secrets"): 200 characters.
 */
const MOST_CHARACTERS = 4_096;
const MOST_SIGNATURES = 20;
/** A SHA-256 as Stripe writes it. Anything else signs nothing; the SDK throws for an empty one. */
const SIGNATURE_SHAPE = /^[0-9a-f]{64}$/;

/** How far a delivery's timestamp may be from our clock, in seconds, in either direction. */
export const TOLERANCE_SECONDS = 300;

/**
 * Checks the `Stripe-Signature` of a delivery (Stripe: "Verify webhook signatures").
 * `secrets` are all accepted at once, for rotation.
 */
export class StripeSignature {
  constructor(
    private readonly secrets: readonly string[],
    private readonly now: () => number = Date.now,
  ) {}

  /** Whether one of the secrets signed exactly `payload`, no longer than the tolerance ago and no further ahead. */
  isValid(payload: string, header: string | undefined): boolean {
    if (header === undefined || header.length > MOST_CHARACTERS || payload === '') return false;
    const { timestamp, signatures } = partsOf(header);
    if (signatures.length === 0 || signatures.length > MOST_SIGNATURES) return false;
    const now = this.now();
    // The SDK refuses what is old but takes any timestamp that lies ahead.
    const age = Math.floor(now / 1000) - timestamp;
    if (!(Math.abs(age) <= TOLERANCE_SECONDS)) return false;
    const usable = `t=${timestamp},${signatures.map((each) => `v1=${each}`).join(',')}`;
    return this.secrets.some((secret) => isSignedWith(secret, payload, usable, now));
  }
}

/** The SDK types this as optional; without it no delivery could be checked, so the start fails. */
const SIGNATURE = Stripe.webhooks.signature ?? missing();

function missing(): never {
  throw new Error('this build of the stripe package cannot check signatures');
}

function isSignedWith(secret: string, payload: string, header: string, now: number): boolean {
  try {
    return SIGNATURE.verifyHeader(payload, header, secret, TOLERANCE_SECONDS, undefined, now);
  } catch (error) {
    // The SDK's way to say no. Its error holds the payload: it goes nowhere.
    if (error instanceof Stripe.errors.StripeSignatureVerificationError) return false;
    throw error;
  }
}

/** The last `t=` of the header, NaN when there is none, and those of its `v1=` that can be signatures. */
function partsOf(header: string): { readonly timestamp: number; readonly signatures: readonly string[] } {
  const parts = header.split(',');
  const stamp = parts.findLast((part) => part.startsWith('t='));
  return {
    timestamp: Number.parseInt(stamp?.slice(2) ?? '', 10),
    signatures: parts
      .filter((part) => part.startsWith('v1='))
      .map((part) => part.slice(3))
      .filter((signature) => SIGNATURE_SHAPE.test(signature)),
  };
}
