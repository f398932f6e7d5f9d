import type { Pool } from 'pg';
import { inTransaction } from '../database/in-transaction.js';
import type { EventStore } from '../event-store/event-store.js';
import { comparePositions } from '../events/stored-event.js';
import { readLiveCheckpoint } from '../projections/engine/checkpoint.js';
import { ENTITLEMENTS } from '../projections/entitlements/entitlements.projector.js';
import { type PageSize, readOccurrences } from './occurrences.js';
import type { Reaction } from './reaction.js';
import {
  beginReaction,
  findReactionCheckpoint,
  moveReactionCheckpoint,
  passBy,
} from './reaction-checkpoint.js';
import { lastServedOrdinal } from './served-changes.reader.js';
import { writeWork } from './work-store.js';

export interface ReactionRoundOptions {
  readonly pool: Pool;
  readonly store: Pick<EventStore, 'readAll' | 'eventAt'>;
  /** Size of one transaction. Left out: 500 events, 1,000 rows. */
  readonly size?: PageSize;
}

/** What one page came to: work was written, nothing was new, nothing is wanted, or another instance moved the checkpoint. */
export interface RoundEnd {
  readonly written: number;
  readonly mayBeMore: boolean;
  readonly outcome: 'moved' | 'level' | 'asleep' | 'lost';
}

const PAGE_SIZE: PageSize = { events: 500, rows: 1_000 };
const LEVEL: RoundEnd = { written: 0, mayBeMore: false, outcome: 'level' };

/**
 * One page of a reaction: reads what happened behind its checkpoint and writes, in one transaction, the work that follows and
 * where it came to. The live checkpoint is read first, and nothing behind it is looked at. A reaction that never ran
 * begins there.
 */
export async function reactOnce(
  { pool, store, size = PAGE_SIZE }: ReactionRoundOptions,
  reaction: Reaction,
): Promise<RoundEnd> {
  const live = await readLiveCheckpoint(pool, ENTITLEMENTS);
  if (live === null) return LEVEL;
  const { handled } = live.checkpoint;
  const from = await findReactionCheckpoint(pool, reaction.name);
  if (from === null) {
    await beginReaction(pool, reaction.name, { position: handled, ordinal: await lastServedOrdinal(pool) });
    return { ...LEVEL, outcome: 'moved' };
  }
  if (await reaction.isAsleep(pool)) {
    const to = { position: handled, ordinal: await lastServedOrdinal(pool) };
    const isLevel = comparePositions(handled, from.position) <= 0 && to.ordinal === from.ordinal;
    if (!isLevel) await passBy(pool, reaction.name, from, to);
    return { ...LEVEL, outcome: 'asleep' };
  }
  const { follows } = reaction;
  const page = await readOccurrences({ store, database: pool, size, follows }, from, handled);
  if (page.to.position === from.position && page.to.ordinal === from.ordinal) return LEVEL;
  return inTransaction(pool, async (client): Promise<RoundEnd> => {
    await client.query('set local synchronous_commit = on');
    if (!(await moveReactionCheckpoint(client, reaction.name, from, page.to)))
      return { ...LEVEL, outcome: 'lost' };
    const work = await reaction.workFor(page.occurrences, client);
    await writeWork(client, reaction.name, work);
    return { written: work.length, mayBeMore: page.mayBeMore, outcome: 'moved' };
  });
}
