import type { EntitlementClaims } from './entitlement-token.js';

const claimsByRequest = new WeakMap<object, EntitlementClaims>();

/** Keeps what a guard let a request through with. */
export function holdClaims(request: object, claims: EntitlementClaims): void {
  claimsByRequest.set(request, claims);
}

/** What the token said by which a guard let this request through; `undefined` where none did. */
export function entitlementsOf(request: object): EntitlementClaims | undefined {
  return claimsByRequest.get(request);
}
