import {
  createLocalJWKSet,
  decodeProtectedHeader,
  errors,
  type JSONWebKeySet,
  jwtVerify,
  SignJWT,
} from 'jose';
import { z } from 'zod';
import type { Served, Snapshot } from '../projections/entitlements/snapshot.js';
import type { EntitlementReader } from '../projections/read-models/entitlement.reader.js';
import { UserErasedError } from '../pseudonyms/errors.js';
import { isErasedMark } from '../pseudonyms/pseudonym.js';
import type { Pseudonyms } from '../pseudonyms/pseudonyms.js';
import type { SigningKeys } from './signing-keys.js';
import { TOKEN_ALGORITHMS } from './token-key.js';

/** The media type of an entitlement token, so that no other token of the same keys is taken for one (RFC 8725, 3.11). */
export const TOKEN_TYPE = 'entitlements+jwt';
/** A JSON Web Signature in its compact form (RFC 7515, 7.1). */
const SHAPE = /^[\w-]{2,}\.[\w-]{2,}\.[\w-]{2,}$/;
/** Longer ones are not ours: what a token says is bounded by the plan catalogue. */
const MAX_LENGTH = 32_768;

const headerSchema = z.object({ typ: z.literal(TOKEN_TYPE) });

/** Whether a text says of itself that it is an entitlement token; nothing of it is verified. */
export function isEntitlementToken(text: string): boolean {
  if (text.length > MAX_LENGTH || !SHAPE.test(text)) return false;
  try {
    return headerSchema.safeParse(decodeProtectedHeader(text)).success;
  } catch (error) {
    if (error instanceof TypeError) return false; // no JSON, or none in base64url
    throw error;
  }
}

const claimsSchema = z.object({
  iss: z.string(),
  sub: z.string(),
  iat: z.number(),
  exp: z.number(),
  ver: z.int(),
  role: z.string(),
  plan: z.string(),
  status: z.string(),
  features: z.array(z.string()),
  limits: z.record(z.string(), z.union([z.number(), z.literal('unlimited')])),
  faulted: z.object({ since: z.string(), position: z.string() }).optional(),
});

/** What a token says: whose it is, when it was made and ends (Unix seconds), and what of the snapshot the version counts. */
export type TokenClaims = z.infer<typeof claimsSchema>;

/** A token as its holder gets it; `expiresAt` is in RFC 3339. */
export interface IssuedToken {
  readonly token: string;
  readonly expiresAt: string;
  readonly version: number;
}

export interface EntitlementTokensOptions {
  readonly keys: Pick<SigningKeys, 'signing' | 'published'>;
  readonly reader: Pick<EntitlementReader, 'read' | 'readMany'>;
  /** Exchanges user ids, which a token has as they are outside; `null` or left out: they are the same inside. */
  readonly pseudonyms?: Pick<Pseudonyms, 'isUserId' | 'storedOfOne' | 'userIdsOf'> | null;
  readonly issuer: string;
  /** Seconds that a token lives at most. */
  readonly seconds: number;
  /** Unix ms. */
  readonly now: () => number;
}

/** Makes entitlement tokens (DESIGN 10, "Entitlement tokens"), and tells whether one still holds. */
export class EntitlementTokens {
  constructor(private readonly options: EntitlementTokensOptions) {}

  /** A token of what a user may do now. Rejects with what the database answers. */
  async issue(userId: string): Promise<IssuedToken> {
    const { keys, reader, issuer, seconds, now } = this.options;
    const [{ snapshot }, { kid, algorithm, key }] = await Promise.all([reader.read(userId), keys.signing()]);
    const own = { ...snapshot, userId: await this.#ownIdOf(snapshot.userId) };
    const claims = claimsOf(own, { issuer, seconds, now: now() });
    const token = await new SignJWT({ ...claims })
      .setProtectedHeader({ alg: algorithm, typ: TOKEN_TYPE, kid })
      .sign(key);
    return { token, expiresAt: new Date(claims.exp * 1_000).toISOString(), version: claims.ver };
  }

  /** What a token says, where it is ours and has not ended; whether its version is stale is not looked at. */
  async verify(token: string): Promise<TokenClaims | null> {
    if (token.length > MAX_LENGTH || !SHAPE.test(token)) return null;
    const { keys, issuer, now } = this.options;
    const set: JSONWebKeySet = { keys: [...(await keys.published())] };
    try {
      const { payload } = await jwtVerify(token, createLocalJWKSet(set), {
        issuer,
        typ: TOKEN_TYPE,
        algorithms: [...TOKEN_ALGORITHMS],
        requiredClaims: ['exp', 'iat', 'sub', 'ver'],
        currentDate: new Date(now()),
      });
      return claimsSchema.safeParse(payload).data ?? null;
    } catch (error) {
      if (error instanceof errors.JOSEError) return null;
      throw error;
    }
  }

  /** What a token says, where it holds: `null` of one that ended, is not ours, or says what was before a change. */
  async introspect(token: string): Promise<TokenClaims | null> {
    const claims = await this.verify(token);
    if (claims === null) return null;
    const userId = await this.#storedIdOf(claims.sub);
    if (userId === null) return null;
    const { snapshot } = await this.#atLeast(userId, claims.ver);
    return snapshot.revocationVersion === claims.ver ? claims : null;
  }

  /** @throws UserErasedError */
  async #ownIdOf(stored: string): Promise<string> {
    const { pseudonyms = null } = this.options;
    if (pseudonyms === null) return stored;
    const userId = (await pseudonyms.userIdsOf([stored])).get(stored);
    if (userId === undefined) throw new UserErasedError();
    return userId;
  }

  /** What stands for a user id inside; `null` where its user is erased. */
  async #storedIdOf(userId: string): Promise<string | null> {
    const { pseudonyms = null } = this.options;
    if (pseudonyms === null) return userId;
    const stored = pseudonyms.isUserId(userId) ? await pseudonyms.storedOfOne(userId) : null;
    return stored === null || isErasedMark(stored) ? null : stored;
  }

  /** The snapshot; where the one in memory is older than the token, another instance was faster, and the database is asked. */
  async #atLeast(userId: string, version: number): Promise<Served> {
    const { reader } = this.options;
    const served = await reader.read(userId);
    if (served.snapshot.revocationVersion >= version) return served;
    const [read] = await reader.readMany([userId]);
    if (read === undefined) throw new Error('a user that was asked for was not answered');
    return read;
  }
}

/** The claims of a token that is made now; it never outlasts `validUntil`. Pure. */
export function claimsOf(
  snapshot: Snapshot,
  { issuer, seconds, now }: { readonly issuer: string; readonly seconds: number; readonly now: number },
): TokenClaims {
  const { userId, revocationVersion, role, plan, status, features, limits, validUntil, faulted } = snapshot;
  const iat = Math.floor(now / 1_000);
  const end = validUntil === null ? Number.POSITIVE_INFINITY : Math.floor(Date.parse(validUntil) / 1_000);
  return {
    iss: issuer,
    sub: userId,
    iat,
    exp: Math.min(iat + seconds, end),
    ver: revocationVersion,
    role,
    plan,
    status,
    features: [...features],
    limits: { ...limits },
    ...(faulted === undefined ? {} : { faulted }),
  };
}
