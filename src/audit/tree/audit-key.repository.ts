import { createHash, randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import { z } from 'zod';
import type { SealedColumn } from '../../auth/seal-anew.js';
import { type SealedSecrets, SecretUnreadableError } from '../../auth/sealed-secrets.js';
import { inTransaction, type Statements } from '../../database/in-transaction.js';
import { privateKeyOf, publicBytesOf } from '../merkle/note-keys.js';
import type { AuditKey } from './audit-key.js';

/** A key as it is kept: the seed of the private half is sealed. */
export interface KeptAuditKey extends AuditKey {
  readonly sealed: string;
}

function purposeOfAuditKey(id: string): string {
  return `audit key ${id}`;
}

/** Where the private halves are kept sealed. */
export const AUDIT_KEY_SECRETS: readonly SealedColumn[] = [
  { table: 'tenure.audit_key', key: 'id', column: 'private_key', purposeOf: purposeOfAuditKey },
];

const SEED_BYTES = 32;
const ID_CHARACTERS = 16;

const keyRow = z
  .object({
    id: z.string(),
    public_key: z.string(),
    private_key: z.string(),
    created_at: z.date(),
    retired_at: z.date().nullable(),
  })
  .transform(
    (row): KeptAuditKey => ({
      id: row.id,
      publicKey: Buffer.from(row.public_key, 'base64'),
      sealed: row.private_key,
      createdAt: row.created_at.getTime(),
      retiredAt: row.retired_at?.getTime() ?? null,
    }),
  );

/** All keys that there ever were, the newest first. */
export async function readAuditKeys(database: Statements): Promise<readonly KeptAuditKey[]> {
  const { rows } = await database.query(
    `select id, public_key, private_key, created_at, retired_at from tenure.audit_key
     order by retired_at desc nulls first, created_at desc, id`,
    [],
  );
  return z.array(keyRow).parse(rows);
}

export interface NewAuditKeyOptions {
  readonly pool: Pool;
  readonly secrets: SealedSecrets;
  /** Unix ms. */
  readonly now: number;
}

/**
 * Makes a key in the place of the one that signs, which signs beside it for thirty days, unless `isNeeded` says, of the keys
 * that there are under a lock, that another process has made one.
 */
export function makeAuditKey(
  { pool, secrets, now }: NewAuditKeyOptions,
  isNeeded: (keys: readonly KeptAuditKey[]) => boolean,
): Promise<readonly KeptAuditKey[]> {
  return inTransaction(pool, async (client) => {
    await client.query('set local synchronous_commit = on');
    await client.query('lock table tenure.audit_key in share row exclusive mode');
    const kept = await readAuditKeys(client);
    if (!isNeeded(kept)) return kept;
    const seed = randomBytes(SEED_BYTES);
    const publicKey = publicBytesOf(privateKeyOf(seed));
    const id = createHash('sha256').update(publicKey).digest('hex').slice(0, ID_CHARACTERS);
    await client.query('update tenure.audit_key set retired_at = $1 where retired_at is null', [
      new Date(now),
    ]);
    await client.query(
      'insert into tenure.audit_key (id, public_key, private_key, created_at) values ($1, $2, $3, $4)',
      [
        id,
        publicKey.toString('base64'),
        secrets.seal(seed.toString('base64'), purposeOfAuditKey(id)),
        new Date(now),
      ],
    );
    return readAuditKeys(client);
  });
}

/** The seed of a key; `null` where `TENURE_ADMIN_KEY` does not open it. */
export function openAuditKey(secrets: SealedSecrets, { id, sealed }: KeptAuditKey): Buffer | null {
  try {
    return Buffer.from(secrets.open(sealed, purposeOfAuditKey(id)), 'base64');
  } catch (error) {
    if (error instanceof SecretUnreadableError) return null;
    throw error;
  }
}
