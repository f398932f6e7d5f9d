import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { NamedError } from '../observability/named-error.js';

/** What is kept sealed was sealed by another `TENURE_ADMIN_KEY` than those of now, or is not what was sealed. */
export class SecretUnreadableError extends NamedError {
  readonly code = 'secret_unreadable';
  constructor() {
    super('a secret that is kept sealed cannot be opened: it was sealed by another TENURE_ADMIN_KEY');
  }
}

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** What every sealed text begins with. */
export const SEALED_PREFIX = 'v1.';

/** DI token of the `SealedSecrets` of this process. */
export const SEALED_SECRETS = Symbol('SEALED_SECRETS');

/**
 * Seals what is kept secret in PostgreSQL (DESIGN 14): AES-256-GCM by a key that HKDF-SHA-256 (RFC 5869) makes of an admin
 * key. What it is for is bound to it: a secret opens only where it was sealed for.
 */
export class SealedSecrets {
  readonly #keys: readonly Buffer[];

  /** The first of `adminKeys` seals, any opens. */
  constructor(adminKeys: readonly [string, ...string[]]) {
    this.#keys = adminKeys.map((key) =>
      Buffer.from(hkdfSync('sha256', key, 'tenure', 'sealed secrets v1', KEY_BYTES)),
    );
  }

  /** Text that tells nothing of `secret`; `purpose` says what it is for. */
  seal(secret: string, purpose: string): string {
    const [key] = this.#keys;
    if (key === undefined) throw new Error('there is no key to seal with');
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(CIPHER, key, iv);
    cipher.setAAD(Buffer.from(purpose));
    const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
    return SEALED_PREFIX + Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
  }

  /** @throws SecretUnreadableError */
  open(sealed: string, purpose: string): string {
    return this.#openBytes(sealed, purpose).secret;
  }

  /**
   * The same secret sealed by the key that seals now; `null` where it is so already.
   * @throws SecretUnreadableError
   */
  sealAnew(sealed: string, purpose: string): string | null {
    const { secret, key } = this.#openBytes(sealed, purpose);
    return key === this.#keys[0] ? null : this.seal(secret, purpose);
  }

  #openBytes(sealed: string, purpose: string): { readonly secret: string; readonly key: Buffer } {
    const bytes = Buffer.from(sealed.slice(SEALED_PREFIX.length), 'base64url');
    if (!sealed.startsWith(SEALED_PREFIX) || bytes.length < IV_BYTES + TAG_BYTES)
      throw new SecretUnreadableError();
    for (const key of this.#keys) {
      const secret = openBy(key, bytes, purpose);
      if (secret !== null) return { secret, key };
    }
    throw new SecretUnreadableError();
  }
}

function openBy(key: Buffer, bytes: Buffer, purpose: string): string | null {
  const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, IV_BYTES));
  decipher.setAAD(Buffer.from(purpose));
  decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  const opened = decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES));
  try {
    return Buffer.concat([opened, decipher.final()]).toString('utf8');
  } catch {
    return null; // another key sealed it, or another purpose
  }
}
