import type { Pool } from 'pg';
import { z } from 'zod';
import { readLiveCheckpoint } from '../../../projections/engine/checkpoint.js';
import { ENTITLEMENTS } from '../../../projections/entitlements/entitlements.projector.js';

/** What the read model knows and a list may leave out. */
export type KnownRows = 'subscriptions' | 'purchases';

const KNOWN_AT_ONCE = 1_000;
const knownRow = z.object({ id: z.string() });
const STATEMENTS: Readonly<Record<KnownRows, string>> = {
  subscriptions: `select subscription as id from tenure.subscription where generation = $1 and subscription > $2
    order by subscription limit $3`,
  purchases: `select session as id from tenure.checkout where generation = $1 and session > $2 and purchase
    order by session limit $3`,
};

/** Ids of subscriptions, or of sessions that are purchases, in the read model in force, in their order. */
export async function* knownRows(pool: Pool, rows: KnownRows): AsyncGenerator<string> {
  const live = await readLiveCheckpoint(pool, ENTITLEMENTS);
  if (live === null) return;
  let after = '';
  for (;;) {
    const found = await pool.query(STATEMENTS[rows], [live.generation, after, KNOWN_AT_ONCE]);
    const page = found.rows.map((row) => knownRow.parse(row).id);
    yield* page;
    after = page.at(-1) ?? after;
    if (page.length < KNOWN_AT_ONCE) return;
  }
}
