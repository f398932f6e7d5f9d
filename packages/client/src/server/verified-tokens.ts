import type { EntitlementClaims } from './entitlement-token.js';
import type { VerifyingKey } from './key-set.js';

/** A token whose signature was verified, and by which key. */
export interface VerifiedToken {
  readonly claims: EntitlementClaims;
  readonly kid: string;
  readonly key: VerifyingKey;
}

/** Tokens whose signature was verified, so that it is verified once; the oldest are forgotten first. */
export class VerifiedTokens {
  readonly #kept = new Map<string, VerifiedToken>();

  constructor(private readonly most: number) {}

  get(token: string): VerifiedToken | undefined {
    return this.#kept.get(token);
  }

  keep(token: string, verified: VerifiedToken): void {
    if (this.#kept.size >= this.most) {
      for (const oldest of this.#kept.keys()) {
        this.#kept.delete(oldest);
        break;
      }
    }
    this.#kept.set(token, verified);
  }

  forget(token: string): void {
    this.#kept.delete(token);
  }
}
