import type { Pool } from 'pg';
import { inTransaction } from '../database/in-transaction.js';
import type { EventStore } from '../event-store/event-store.js';
import { comparePositions } from '../events/stored-event.js';
import { readLiveCheckpoint } from '../projections/engine/checkpoint.js';
import { ENTITLEMENTS } from '../projections/entitlements/entitlements.projector.js';
import { type OccurrencePage, type PageSize, readOccurrences } from './occurrences.js';
import type { Reaction } from './reaction.js';
import {
  beginReaction,
  findReactionCheckpoint,
  moveReactionCheckpoint,
  passBy,
  type ReactionCheckpoint,
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
  try {
    const written = await writeRound(pool, reaction, from, page);
    return { written, mayBeMore: page.mayBeMore, outcome: 'moved' };
  } catch (error) {
    if (error instanceof CheckpointMovedError) return { ...LEVEL, outcome: 'lost' };
    throw error;
  }
}

/**
 * Writes what follows a page, and where it came to: how much work it is. The checkpoint is held from its move on, so who ends
 * work waits for two statements and the commit, not for what the reaction looks up.
 * @throws CheckpointMovedError when another instance was there before, and nothing is written
 */
function writeRound(
  pool: Pool,
  reaction: Reaction,
  from: ReactionCheckpoint,
  { occurrences, to }: OccurrencePage,
): Promise<number> {
  return inTransaction(pool, async (client) => {
    const work = await reaction.workFor(occurrences, client);
    await client.query('set local synchronous_commit = on');
    if (!(await moveReactionCheckpoint(client, reaction.name, from, to))) throw new CheckpointMovedError();
    await writeWork(client, reaction.name, work);
    return work.length;
  });
}

/** A checkpoint is not where it was read: what the transaction has written goes with it. */
class CheckpointMovedError extends Error {
  override readonly name = 'CheckpointMovedError';
}
