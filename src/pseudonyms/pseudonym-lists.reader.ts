import type { Pool } from 'pg';
import { z } from 'zod';

/** A page of a list; `next` is the cursor of the next one, `null` at the end. */
interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

/** A user of the read models whose id nobody knows, without an erasure: its row was lost. */
export interface MissingPseudonym {
  readonly pseudonym: string;
}

/** A Stripe object that claimed for a user who is erased; times are in RFC 3339. */
export interface ErasedClaim {
  readonly object: string;
  readonly times: number;
  readonly firstAt: string;
  readonly lastAt: string;
}

const MISSING = `tenure.user_role u
  where u.generation = (select generation from tenure.live_generation) and u.user_id ~ '^psn_[0-9a-f]{32}$'
    and not exists (select from tenure.pseudonym p where p.pseudonym = u.user_id)`;

const missingRows = z.array(z.object({ pseudonym: z.string() }));
const claimRows = z.array(
  z.object({
    object: z.string(),
    times: z.coerce.number(),
    firstAt: z.date().transform((at) => at.toISOString()),
    lastAt: z.date().transform((at) => at.toISOString()),
  }),
);

/** What ops may look at of pseudonyms and erased users. */
export class PseudonymListsReader {
  constructor(private readonly pool: Pick<Pool, 'query'>) {}

  /** Up to `limit` pseudonyms without a pair, after the pseudonym `cursor`. */
  async missing(cursor: string | null, limit: number): Promise<Page<MissingPseudonym>> {
    const { rows } = await this.pool.query(
      `select u.user_id as pseudonym from ${MISSING} and u.user_id > $1 order by 1 limit $2`,
      [cursor ?? '', limit],
    );
    const items = missingRows.parse(rows);
    return { items, next: items.length === limit ? (items.at(-1)?.pseudonym ?? null) : null };
  }

  /** Whether there is any. */
  async isAnyMissing(): Promise<boolean> {
    const { rows } = await this.pool.query(`select 1 from ${MISSING} limit 1`);
    return rows.length > 0;
  }

  /** Up to `limit` claims for erased users, after the object `cursor`. */
  async erasedClaims(cursor: string | null, limit: number): Promise<Page<ErasedClaim>> {
    const { rows } = await this.pool.query(
      `select object, times, first_at as "firstAt", last_at as "lastAt" from tenure.erased_claim
       where object > $1 order by object limit $2`,
      [cursor ?? '', limit],
    );
    const items = claimRows.parse(rows);
    return { items, next: items.length === limit ? (items.at(-1)?.object ?? null) : null };
  }
}
