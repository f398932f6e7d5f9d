import type { Pool } from 'pg';
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

/** Reads what users have by hand, and what that makes of the rest. */
export class ByHandReader {
  constructor(private readonly options: ByHandReaderOptions) {}

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
