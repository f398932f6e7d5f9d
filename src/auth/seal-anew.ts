import type { Pool } from 'pg';
import { z } from 'zod';
import { SEALED_PREFIX, type SealedSecrets, SecretUnreadableError } from './sealed-secrets.js';

/** Rows read by one statement. */
const PAGE = 500;

/**
 * A column with texts of `SealedSecrets`; what is not sealed may stand beside them. `key` is the text column that tells rows
 * apart, `purposeOf` what the secret of a row is sealed for.
 */
export interface SealedColumn {
  readonly table: string;
  readonly key: string;
  readonly column: string;
  readonly purposeOf: (key: string) => string;
}

/** How many secrets were sealed anew, and how many none of the keys opens: they are left as they are. */
export interface SealedAnew {
  readonly sealed: number;
  readonly unreadable: number;
}

const rowsSchema = z.array(z.object({ key: z.string(), sealed: z.string() }));

/**
 * Seals by the first admin key what a later one opens (DESIGN 14), so that the later ones can be dropped. A secret that
 * changes meanwhile is left to who changed it; repeated, it finds nothing more to do.
 */
export async function sealAnew(
  pool: Pool,
  secrets: SealedSecrets,
  columns: readonly SealedColumn[],
): Promise<SealedAnew> {
  const counts = { sealed: 0, unreadable: 0 };
  for (const each of columns) {
    for (let after = ''; ; ) {
      const page = await pageOf(pool, each, after);
      for (const row of page) {
        const outcome = await sealRow(pool, secrets, each, row);
        if (outcome !== 'as_it_is') counts[outcome] += 1;
      }
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) break;
      after = last.key;
    }
  }
  return counts;
}

async function pageOf(pool: Pool, { table, key, column }: SealedColumn, after: string) {
  const { rows } = await pool.query(
    `select ${key} as key, ${column} as sealed from ${table}
     where ${key} > $1 and ${column} like $2 order by ${key} limit $3`,
    [after, `${SEALED_PREFIX}%`, PAGE],
  );
  return rowsSchema.parse(rows);
}

async function sealRow(
  pool: Pool,
  secrets: SealedSecrets,
  { table, key, column, purposeOf }: SealedColumn,
  row: z.infer<typeof rowsSchema>[number],
): Promise<'sealed' | 'unreadable' | 'as_it_is'> {
  let anew: string | null;
  try {
    anew = secrets.sealAnew(row.sealed, purposeOf(row.key));
  } catch (error) {
    if (error instanceof SecretUnreadableError) return 'unreadable';
    throw error;
  }
  if (anew === null) return 'as_it_is';
  const { rowCount } = await pool.query(
    `update ${table} set ${column} = $3 where ${key} = $1 and ${column} = $2`,
    [row.key, row.sealed, anew],
  );
  return rowCount === 1 ? 'sealed' : 'as_it_is';
}
