import { hash } from 'node:crypto';
import { errors, type JWTPayload, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import type { UserTokenSettings } from '../config/settings.js';
import { type ClaimReading, claimOf } from '../events/user-id.js';
import type { Authenticator, Principal, TokenUser } from './authenticator.js';
import type { UserTokenKeys } from './user-token.keys.js';

/** Signatures that only the identity provider can make: no `none`, and no secret that is shared (RFC 8725, 3.1). */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];
/** A JSON Web Signature in its compact form (RFC 7515, 7.1); longer ones no provider makes for a browser. */
const SHAPE = /^[\w-]{2,}\.[\w-]{2,}\.[\w-]{2,}$/;
const MAX_LENGTH = 8_192;
/** Seconds by which the clocks of the provider and of this machine may differ. */
const CLOCK_TOLERANCE_SECONDS = 5;
/** A token that was verified is not verified again for so long: a key that the provider withdraws counts so much longer. */
const VERIFIED_MS = 60_000;
const KNOWN_TOKENS = 10_000;

interface KnownToken {
  readonly user: TokenUser;
  /** Instant of the end on the clock of `now`. */
  readonly until: number;
}

export interface UserTokenOptions {
  readonly settings: UserTokenSettings;
  readonly userIds: ClaimReading;
  readonly keys: Pick<UserTokenKeys, 'keyOf'>;
  /** This machine's clock, Unix milliseconds. */
  readonly now: () => number;
}

/**
 * End users with a token of the application's own identity provider (DESIGN 10, "Who may"). It must be signed by one of the
 * provider's keys, name issuer and audience, hold now and expire, and say in the claim whose it is.
 */
export class UserTokenAuthenticator implements Authenticator {
  readonly #known = new LRUCache<string, KnownToken>({ max: KNOWN_TOKENS });

  constructor(private readonly options: UserTokenOptions) {}

  /** Rejects with ProblemError `user_keys_unavailable` while the token's key cannot be had. */
  authenticate(token: string): Principal | null | Promise<Principal | null> {
    if (token.length > MAX_LENGTH || !SHAPE.test(token)) return null;
    const digest = hash('sha256', token, 'base64url');
    const known = this.#known.get(digest);
    if (known !== undefined && this.options.now() < known.until) return known.user;
    return this.#verify(token, digest);
  }

  async #verify(token: string, digest: string): Promise<Principal | null> {
    const { settings, keys, now } = this.options;
    const { issuer, audience } = settings;
    try {
      const { payload } = await jwtVerify(token, keys.keyOf, {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        requiredClaims: ['exp'],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: new Date(now()),
      });
      const user = this.#userOf(payload);
      if (user === null) return null;
      this.#known.set(digest, { user, until: Math.min(user.expiresAt, now() + VERIFIED_MS) });
      return user;
    } catch (error) {
      if (error instanceof errors.JOSEError) return null;
      throw error;
    }
  }

  #userOf(payload: JWTPayload): TokenUser | null {
    const { settings, userIds } = this.options;
    const userId = claimOf(payload[settings.userClaim], userIds);
    if (userId === null || payload.exp === undefined) return null;
    const expiresAt = (payload.exp + CLOCK_TOLERANCE_SECONDS) * 1_000;
    return { kind: 'user', actor: `user:${userId}`, userId, expiresAt };
  }
}
