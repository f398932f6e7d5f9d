import { randomBytes } from 'node:crypto';
import { sha256Hex } from '../../events/canonical-json.js';

/** 256 random bits: nothing to guess, so one round of SHA-256 keeps them, and a look-up by hash tells no time. */
const SECRET_BYTES = 32;
/** The start makes a leaked key easy to find for scanners and people. */
const SHAPE = /^tenure_[A-Za-z0-9_-]{43}$/;

/** A key as it is made. `key` is for its holder alone and kept nowhere; `id` and `hash` are what Tenure keeps. */
export interface MintedKey {
  readonly id: string;
  readonly key: string;
  readonly hash: string;
}

export function mintKey(): MintedKey {
  const key = `tenure_${randomBytes(SECRET_BYTES).toString('base64url')}`;
  return { id: `key_${randomBytes(8).toString('hex')}`, key, hash: hashOfKey(key) };
}

/** Whether a bearer token can be a stored key at all; anything else is refused without a look. */
export function isKeyShaped(token: string): boolean {
  return SHAPE.test(token);
}

/** SHA-256 of a key, 64 lower-case hexadecimal digits. */
export function hashOfKey(key: string): string {
  return sha256Hex(key);
}
