import type { Pool } from 'pg';
import { z } from 'zod';
import { inTransaction } from '../../database/in-transaction.js';
import type { PlanCatalog } from '../../events/catalog.events.js';
import type { Combination } from '../../policy/combine.js';
import { combinationAt } from '../../policy/combined.js';
import { readJudgedUser } from './judged-user.js';

export interface ByHandReaderOptions {
  readonly pool: Pool;
  /** Unix ms; the clock that snapshots are served by. */
  readonly now: () => number;
}

/** What all that a user has gives together now, and the catalogue that says so. */
export interface CombinedUser {
  readonly combination: Combination;
  readonly catalog: PlanCatalog;
}

const anyRow = z.tuple([z.object({ found: z.boolean() })]);

/** Reads what users have by hand, and what that makes of the rest. */
export class ByHandReader {
  constructor(private readonly options: ByHandReaderOptions) {}

  /** Whether anything was ever given or set by hand to a user. */
  async hasAny(userId: string): Promise<boolean> {
    const { rows } = await this.options.pool.query({
      name: 'tenure-has-by-hand',
      text: `select exists (select from tenure.grant g where g.user_id = $1 and g.generation = l.generation)
               or exists (select from tenure.override o where o.user_id = $1 and o.generation = l.generation) as found
             from tenure.live_generation l`,
      values: [userId],
    });
    return anyRow.parse(rows)[0].found;
  }

  /** What a user has, as of one moment. @throws ReadModelNotReadyError */
  async combined(userId: string): Promise<CombinedUser> {
    const { pool, now } = this.options;
    const { facts, catalog } = await inTransaction(
      pool,
      (client) => readJudgedUser(client, userId),
      'repeatable read read only',
    );
    return { combination: combinationAt(facts, catalog, now()), catalog };
  }
}
