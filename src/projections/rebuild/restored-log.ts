import type { Pool, PoolClient } from 'pg';
import { inTransaction } from '../../database/in-transaction.js';
import type { EventStore } from '../../event-store/event-store.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import { projectionSource } from '../engine/projection-source.js';
import type { Projector } from '../engine/projector.js';
import { beginGeneration, dropGeneration, underLock } from './generation-table.js';
import { scratchFold } from './scratch-fold.js';
import { type OnProgress, SCRATCH_LOCK, sweepScratch } from './scratch-generation.js';

/** Who restored a log, and what is to be done in the transaction that has its fold read. */
export interface RestoredLogOrder {
  readonly actor: string;
  readonly reason: string;
  readonly onProgress: OnProgress;
  readonly onServed: (client: PoolClient) => Promise<void>;
}

export interface RestoredLogOptions {
  readonly store: EventStore;
  readonly streamPrefix: string;
  readonly pool: Pool;
  readonly projection: string;
  readonly codeVersion: string;
  readonly projectorOf: (generation: number) => Projector<EventEnvelope>;
}

/**
 * Folds a log that nobody appends to into a generation of its own, and makes that the one that is read. No swap: nothing was
 * served before, so no offset, version or feed line comes of it, and those that a backup kept go on to hold. What a killed
 * process leaves behind is dropped by the next. Answers the generation.
 * @throws GenerationFaultedError, AdoptionInterruptedError when the log changed meanwhile
 */
export async function serveRestoredLog(
  options: RestoredLogOptions,
  { actor, reason, onProgress, onServed }: RestoredLogOrder,
): Promise<number> {
  const { store, streamPrefix, pool, projection, codeVersion } = options;
  await sweepScratch(pool, projection);
  const generation = await beginGeneration(pool, {
    projection,
    state: 'scratch',
    startedBy: actor,
    reason,
    codeVersion,
    order: null,
  });
  return underLock(pool, [SCRATCH_LOCK, generation], async () => {
    try {
      const fold = scratchFold(options, generation, onProgress);
      await fold(projectionSource(store, streamPrefix, projection), await store.head());
      await inTransaction(pool, async (client) => {
        await client.query('set local synchronous_commit = on');
        await client.query(`update tenure.projection_generation set state = 'served' where generation = $1`, [
          generation,
        ]);
        await client.query('update tenure.live_generation set generation = $1', [generation]);
        await onServed(client);
      });
      return generation;
    } catch (error) {
      // What cannot be dropped now is dropped by the next: why it was not served is what is to be told.
      await Promise.allSettled([dropGeneration(pool, projection, generation)]);
      throw error;
    }
  });
}
