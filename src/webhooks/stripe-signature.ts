import Stripe from 'stripe';

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
    if (header === undefined || payload === '') return false;
    const now = this.now();
    // The SDK refuses what is old but takes any timestamp that lies ahead.
    const age = Math.floor(now / 1000) - timestampOf(header);
    if (!(Math.abs(age) <= TOLERANCE_SECONDS)) return false;
    return this.secrets.some((secret) => isSignedWith(secret, payload, header, now));
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

/** The timestamp the SDK reads: the last `t=` of the header; NaN when there is none. */
function timestampOf(header: string): number {
  const stamps = header.split(',').filter((part) => part.startsWith('t='));
  return Number.parseInt(stamps.at(-1)?.slice(2) ?? '', 10);
}
