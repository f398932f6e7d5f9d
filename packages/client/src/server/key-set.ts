import { decodeBase64Url } from './base64url.js';
import { elapsedMs, type Instant } from './clock.js';
import { type Algorithm, isRecord, type TokenParts } from './entitlement-token.js';
import { askJson, type Connection, TenureAnswerError } from './requests.js';

/** A key of the JWKS (RFC 7517), ready to verify with. */
export interface VerifyingKey {
  readonly algorithm: Algorithm;
  readonly key: CryptoKey;
}

/** A key that was withdrawn is not believed for longer than this. */
const READ_EVERY_MS = 60_000;
/** Whatever tokens name, the keys are asked for no more often than this; sooner where that failed. */
const LEAST_PAUSE_MS = 5_000;
const PAUSE_AFTER_FAILURE_MS = 1_000;

type CryptoKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** The keys by which Tenure signs. One that is not known yet is looked for; one that is gone is not believed any more. */
export class KeySet {
  #keys = new Map<string, VerifyingKey & { readonly published: string }>();
  #readAt: Instant | null = null;
  #triedAt: Instant | null = null;
  #failure: { readonly error: unknown } | null = null;
  #reading: Promise<void> | null = null;

  constructor(private readonly connection: Connection) {}

  /** The key of this id, as it was last published. */
  get(kid: string): VerifyingKey | undefined {
    return this.#keys.get(kid);
  }

  get isDue(): boolean {
    return this.#readAt === null || elapsedMs(this.#readAt, this.connection.clock.now()) >= READ_EVERY_MS;
  }

  /** Looks for a key that a token names: asks for all, unless that was done just now. Rejects as `read`, also of just now. */
  async find(kid: string): Promise<VerifyingKey | undefined> {
    const known = this.get(kid);
    if (known !== undefined) return known;
    const { clock } = this.connection;
    const leastPauseMs = this.#failure === null ? LEAST_PAUSE_MS : PAUSE_AFTER_FAILURE_MS;
    const isTooSoon = this.#triedAt !== null && elapsedMs(this.#triedAt, clock.now()) < leastPauseMs;
    if (this.#reading !== null || !isTooSoon) await this.read();
    else if (this.#failure !== null) throw this.#failure.error;
    return this.get(kid);
  }

  /** Reads the keys anew. Rejects with TenureAnswerError, and as `askJson`; the keys then stay as they were. */
  read(): Promise<void> {
    this.#reading ??= this.#read()
      .then(
        () => {
          this.#failure = null;
        },
        (error: unknown) => {
          this.#failure = { error };
          throw error;
        },
      )
      .finally(() => {
        this.#reading = null;
      });
    return this.#reading;
  }

  async #read(): Promise<void> {
    const askedAt = this.connection.clock.now();
    this.#triedAt = askedAt;
    const { response, body } = await askJson(this.connection, '/.well-known/jwks.json');
    if (!isRecord(body) || !Array.isArray(body.keys)) {
      throw new TenureAnswerError(
        `The keys of tokens were answered by ${response.status} and no key set`,
        response.status,
      );
    }
    const keys = new Map<string, VerifyingKey & { readonly published: string }>();
    for (const jwk of body.keys) {
      if (!isRecord(jwk) || typeof jwk.kid !== 'string') continue;
      const published = JSON.stringify(jwk);
      const known = this.#keys.get(jwk.kid);
      const key = known?.published === published ? known : await imported(jwk, published);
      if (key !== null) keys.set(jwk.kid, key);
    }
    this.#keys = keys;
    this.#readAt = askedAt;
  }
}

/** `null` of a key of another kind than those that sign entitlement tokens: a set may hold others (RFC 7517, section 5). */
async function imported(
  jwk: Readonly<Record<string, unknown>>,
  published: string,
): Promise<(VerifyingKey & { readonly published: string }) | null> {
  const { kty, crv, x, y } = jwk;
  if (typeof x !== 'string' || decodeBase64Url(x) === null) return null;
  if (kty === 'OKP' && crv === 'Ed25519') {
    const key = await crypto.subtle.importKey('jwk', { kty, crv, x }, { name: 'Ed25519' }, false, ['verify']);
    return { algorithm: 'EdDSA', key, published };
  }
  if (kty === 'EC' && crv === 'P-256' && typeof y === 'string') {
    const curve = { name: 'ECDSA', namedCurve: 'P-256' };
    const key = await crypto.subtle.importKey('jwk', { kty, crv, x, y }, curve, false, ['verify']);
    return { algorithm: 'ES256', key, published };
  }
  return null;
}

/** Whether a signature is of this key (RFC 8037 for Ed25519, RFC 7518 section 3.4 for ES256). */
export function isSignedBy(
  { algorithm, key }: VerifyingKey,
  { signature, signed }: Pick<TokenParts, 'signature' | 'signed'>,
): Promise<boolean> {
  const by = algorithm === 'EdDSA' ? { name: 'Ed25519' } : { name: 'ECDSA', hash: 'SHA-256' };
  return crypto.subtle.verify(by, key, signature, signed);
}
