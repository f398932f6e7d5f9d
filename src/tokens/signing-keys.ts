import { type CryptoKey, importJWK, type JWK } from 'jose';
import type { Pool } from 'pg';
import { type SealedSecrets, SecretUnreadableError } from '../auth/sealed-secrets.js';
import { SharedAnswer } from '../http/shared-answer.js';
import { maySign, stateAt, type TimedTokenKey, type TokenAlgorithm, timed } from './token-key.js';
import { type KeptTokenKey, makeTokenKey, openTokenKey, readTokenKeys } from './token-key.repository.js';

/** Keys are read anew after so long: so long a new one may be unknown to an instance. */
const READ_EVERY_MS = 10_000;
/** A key this old gets a successor by itself. */
export const MOST_AGE_MS = 90 * 24 * 3_600_000;

type Key = KeptTokenKey & TimedTokenKey;

/** A key that signs, ready for `SignJWT`. */
export interface SigningKey {
  readonly kid: string;
  readonly algorithm: TokenAlgorithm;
  readonly key: CryptoKey | Uint8Array;
}

export interface SigningKeysOptions {
  readonly pool: Pool;
  readonly secrets: SealedSecrets;
  /** What new keys are of, and what signs. */
  readonly algorithm: TokenAlgorithm;
  /** Unix ms. */
  readonly now: () => number;
  /** Hears why the keys cannot be read; those read before are published meanwhile. */
  readonly onTrouble: (error: unknown) => void;
  /** Left out, as a service has it: ten seconds. */
  readonly readEveryMs?: number;
}

/**
 * The keys that sign entitlement tokens, as instances share them in PostgreSQL. The first is made when it is asked for; one
 * that is too old, or that `TENURE_ADMIN_KEY` does not open any more, gets a successor.
 */
export class SigningKeys {
  readonly #shared: SharedAnswer<readonly Key[]>;
  readonly #imported = new Map<string, SigningKey>();
  #last: readonly Key[] = [];

  constructor(private readonly options: SigningKeysOptions) {
    this.#shared = new SharedAnswer(() => this.#read(), options.readEveryMs ?? READ_EVERY_MS);
  }

  /** The key that signs now. Rejects with what the database answers. */
  async signing(): Promise<SigningKey> {
    const found = this.#signingOf(await this.#shared.get());
    if (found === null) throw new SecretUnreadableError();
    const known = this.#imported.get(found.kid);
    if (known !== undefined) return known;
    const half: JWK = JSON.parse(found.opened);
    const { kid, algorithm } = found;
    const signing = { kid, algorithm, key: await importJWK(half, algorithm) };
    this.#imported.set(kid, signing);
    return signing;
  }

  /** Every key by which a token that holds may be signed, and those that will sign soon: the JWKS (RFC 7517). */
  async published(): Promise<readonly JWK[]> {
    const keys = await this.#shared.get().catch((error: unknown) => {
      if (this.#last.length === 0) throw error;
      this.options.onTrouble(error);
      return this.#last;
    });
    const now = this.options.now();
    return keys.filter((key) => stateAt(key, now) !== 'gone').map(({ publicKey }) => publicKey);
  }

  async #read(): Promise<readonly Key[]> {
    const { pool, secrets, algorithm, now } = this.options;
    let found = await readTokenKeys(pool);
    if (this.#isNewNeeded(found)) {
      await makeTokenKey({ pool, secrets, algorithm, now: now() }, (keys) => this.#isNewNeeded(keys));
      found = await readTokenKeys(pool);
    }
    this.#last = timed(found);
    return this.#last;
  }

  #isNewNeeded(kept: readonly KeptTokenKey[]): boolean {
    const { algorithm, now } = this.options;
    const keys = timed(kept);
    const newest = keys.findLast((key) => key.algorithm === algorithm);
    const isOld = newest !== undefined && now() - newest.signsFrom >= MOST_AGE_MS;
    return isOld || this.#signingOf(keys) === null;
  }

  /** The newest of the algorithm that may sign now and can be opened; `null` where there is none. */
  #signingOf(keys: readonly Key[]): (Key & { readonly opened: string }) | null {
    const { secrets, algorithm, now } = this.options;
    for (const key of keys.toReversed()) {
      if (key.algorithm !== algorithm || !maySign(key, now())) continue;
      const opened = openTokenKey(secrets, key);
      if (opened !== null) return { ...key, opened };
    }
    return null;
  }
}
