import type { Pool, PoolClient } from 'pg';
import { z } from 'zod';
import type { SealedColumn } from '../auth/seal-anew.js';
import { type SealedSecrets, SecretUnreadableError } from '../auth/sealed-secrets.js';
import { inTransaction, type Statements } from '../database/in-transaction.js';
import {
  makePair,
  maySign,
  stateAt,
  TOKEN_ALGORITHMS,
  type TokenAlgorithm,
  type TokenKey,
  timed,
} from './token-key.js';

/** A key as it is kept: the private half is sealed. */
export interface KeptTokenKey extends TokenKey {
  readonly sealed: string;
}

/** What the private half of a key is sealed for. */
function purposeOfTokenKey(kid: string): string {
  return `token key ${kid}`;
}

/** Where the private halves are kept sealed. */
export const TOKEN_KEY_SECRETS: readonly SealedColumn[] = [
  { table: 'tenure.token_key', key: 'kid', column: 'private_key', purposeOf: purposeOfTokenKey },
];

const jwk = z.looseObject({ kty: z.string(), kid: z.string() });
const keyRow = z
  .object({
    kid: z.string(),
    algorithm: z.enum(TOKEN_ALGORITHMS),
    public_key: z.string(),
    private_key: z.string(),
    created_at: z.date(),
    signs_from: z.date(),
  })
  .transform(
    (row): KeptTokenKey => ({
      kid: row.kid,
      algorithm: row.algorithm,
      publicKey: jwk.parse(JSON.parse(row.public_key)),
      sealed: row.private_key,
      createdAt: row.created_at.getTime(),
      signsFrom: row.signs_from.getTime(),
    }),
  );

/** All keys that are kept. */
export async function readTokenKeys(database: Statements): Promise<readonly KeptTokenKey[]> {
  const { rows } = await database.query(
    'select kid, algorithm, public_key, private_key, created_at, signs_from from tenure.token_key',
    [],
  );
  return z.array(keyRow).parse(rows);
}

/**
 * How long a key is published before it signs: whoever keeps the key set for a while has it by then (`JWKS_SECONDS`, and the
 * time that an instance keeps it).
 */
export const AHEAD_MS = 120_000;

export interface NewKeyOptions {
  readonly pool: Pool;
  readonly secrets: SealedSecrets;
  readonly algorithm: TokenAlgorithm;
  /** Unix ms. */
  readonly now: number;
}

/**
 * Makes a key, which signs from `AHEAD_MS` on, or at once where none signs that this process can open, unless `isNeeded`
 * says, of the keys that there are under a lock, that another process has made one: `null`, else its id. Keys that nobody
 * needs any more go.
 */
export function makeTokenKey(
  { pool, secrets, algorithm, now }: NewKeyOptions,
  isNeeded: (keys: readonly KeptTokenKey[]) => boolean,
): Promise<string | null> {
  return inTransaction(pool, async (client) => {
    await client.query('lock table tenure.token_key in share row exclusive mode');
    const kept = await readTokenKeys(client);
    if (!isNeeded(kept)) return null;
    const usable = timed(kept).some(
      (key) => key.algorithm === algorithm && maySign(key, now) && openTokenKey(secrets, key) !== null,
    );
    const kid = await insert(client, { secrets, algorithm, now, signsFrom: usable ? now + AHEAD_MS : now });
    const gone = timed(kept).filter((key) => stateAt(key, now) === 'gone');
    await client.query('delete from tenure.token_key where kid = any($1)', [gone.map((key) => key.kid)]);
    return kid;
  });
}

/** The private half of a key as JSON; `null` where `TENURE_ADMIN_KEY` does not open it. */
export function openTokenKey(secrets: SealedSecrets, { kid, sealed }: KeptTokenKey): string | null {
  try {
    return secrets.open(sealed, purposeOfTokenKey(kid));
  } catch (error) {
    if (error instanceof SecretUnreadableError) return null;
    throw error;
  }
}

/** Makes a pair and keeps it; its id. */
async function insert(
  client: PoolClient,
  { secrets, algorithm, now, signsFrom }: Omit<NewKeyOptions, 'pool'> & { readonly signsFrom: number },
): Promise<string> {
  const { kid, publicKey, privateKey } = await makePair(algorithm);
  await client.query(
    `insert into tenure.token_key (kid, algorithm, public_key, private_key, created_at, signs_from)
     values ($1, $2, $3, $4, $5, $6)`,
    [
      kid,
      algorithm,
      JSON.stringify(publicKey),
      secrets.seal(privateKey, purposeOfTokenKey(kid)),
      new Date(now),
      new Date(signsFrom),
    ],
  );
  return kid;
}
