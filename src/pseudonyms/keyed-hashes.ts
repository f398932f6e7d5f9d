import { createHmac, randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import { z } from 'zod';
import { PseudonymKeyUnreadableError } from './errors.js';

/** What the key of keyed hashes is sealed for. */
export function purposeOfPseudonymKey(id: string): string {
  return `pseudonym key ${id}`;
}

/** There is one key for good: another would know no erased user again. */
const KEY_ID = 'v1';
const KEY_BYTES = 32;

/** Seals and opens secrets that are kept in the database, each for its purpose. */
export interface Sealing {
  seal(secret: string, purpose: string): string;
  open(sealed: string, purpose: string): string;
}

/** Keyed hashes (HMAC-SHA-256, hex): who has the key tells the same text again, and nobody finds the text by trying. */
export class KeyedHashes {
  readonly #key: Buffer;

  constructor(key: Buffer) {
    this.#key = key;
  }

  /** Of a user id, as `UserErased` has it. */
  ofUser(userId: string): string {
    return this.#of(`user ${userId}`);
  }

  /** Of a caller's `Idempotency-Key`, as events have it. */
  ofCallersKey(key: string): string {
    return this.#of(`key ${key}`);
  }

  #of(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('hex');
  }
}

const keyRow = z.object({ secret: z.string() });

/** Whether the database has the key, and so user ids are kept as pseudonyms. */
export async function hasPseudonymKey(pool: Pick<Pool, 'query'>): Promise<boolean> {
  const { rows } = await pool.query('select 1 from tenure.pseudonym_key where id = $1', [KEY_ID]);
  return rows.length > 0;
}

/** Makes the key where there is none; of several that make one at once, the first one's stays. */
export async function makePseudonymKey(pool: Pick<Pool, 'query'>, sealing: Sealing): Promise<void> {
  const secret = sealing.seal(randomBytes(KEY_BYTES).toString('base64url'), purposeOfPseudonymKey(KEY_ID));
  await pool.query(
    `insert into tenure.pseudonym_key (id, secret, created_at) values ($1, $2, now()) on conflict do nothing`,
    [KEY_ID, secret],
  );
}

/** The keyed hashes of this database. @throws PseudonymKeyUnreadableError */
export async function openKeyedHashes(pool: Pick<Pool, 'query'>, sealing: Sealing): Promise<KeyedHashes> {
  const { rows } = await pool.query('select secret from tenure.pseudonym_key where id = $1', [KEY_ID]);
  const [{ secret }] = z.tuple([keyRow]).parse(rows);
  try {
    return new KeyedHashes(Buffer.from(sealing.open(secret, purposeOfPseudonymKey(KEY_ID)), 'base64url'));
  } catch (cause) {
    throw new PseudonymKeyUnreadableError({ cause });
  }
}
