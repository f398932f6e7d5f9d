import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { z } from 'zod';
import { type EventStore } from '../../event-store/event-store.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import { comparePositions, type Position } from '../../events/stored-event.js';
import { BatchRunner } from '../engine/batch-runner.js';
import { BoundedLog } from '../engine/bounded-log.js';
import { type Checkpoint, findCheckpoint, readLiveCheckpoint } from '../engine/checkpoint.js';
import { projectionSource } from '../engine/projection-source.js';
import type { Projector } from '../engine/projector.js';
import { ReadAhead } from '../engine/read-ahead.js';
import { onAlignedSnapshot } from './aligned-checkpoints.js';
import { GenerationBehindError, GenerationFaultedError, UnknownGenerationError } from './errors.js';
import { beginGeneration, dropGeneration, underLock } from './generation-table.js';
import { compareRows, type RowComparison } from './row-comparison.js';
import { type OnProgress, SCRATCH_LOCK, sweepScratch } from './scratch-generation.js';

/** How the live generation compares with a fold of the whole log by the running code. */
export interface VerificationReport extends RowComparison {
  /** Both are at this event. */
  readonly position: Position | null;
  readonly generation: number;
  readonly builtBy: string;
  readonly foldedBy: string;
  readonly mixedAfter: Position | null;
  readonly running: string;
  /** Users whose snapshot, successors, counter and history were compared; `null` is all. Facts are compared whole. */
  readonly users: number | null;
}

export interface VerificationOptions {
  readonly store: EventStore;
  /** The setting `STREAM_PREFIX`. */
  readonly streamPrefix: string;
  readonly pool: Pool;
  readonly projection: string;
  readonly codeVersion: string;
  readonly projectorOf: (
    generation: number,
    judgedUsers: ReadonlySet<string> | 'everyone',
  ) => Projector<EventEnvelope>;
  readonly batchSize: number;
  readonly patienceMs: number;
}

/**
 * Folds the log again into a scratch generation and compares it, row by row and column by column, with what is read; the
 * served version is the counter plus an offset outside of generations, so it is the counters that must agree. `users`
 * limits judging and comparing to so many users, taken at random. Nothing that is read changes; the scratch generation is
 * dropped in the end, and by the next verification when this one is killed.
 * @throws GenerationFaultedError, GenerationBehindError
 */
export async function verifyLive(
  options: VerificationOptions,
  { users, actor, onProgress }: { users: number | 'all'; actor: string; onProgress: OnProgress },
): Promise<VerificationReport> {
  const { pool, projection, codeVersion } = options;
  await sweepScratch(pool, projection);
  const sample = users === 'all' ? 'everyone' : await sampleUsers(pool, users);
  const generation = await beginGeneration(pool, {
    projection,
    state: 'scratch',
    startedBy: actor,
    reason: 'verify',
    codeVersion,
    order: null,
  });
  return underLock(pool, [SCRATCH_LOCK, generation], async () => {
    try {
      return await foldAndCompare(options, generation, sample, onProgress);
    } finally {
      await dropGeneration(pool, projection, generation);
    }
  });
}

async function foldAndCompare(
  options: VerificationOptions,
  generation: number,
  sample: ReadonlySet<string> | 'everyone',
  onProgress: OnProgress,
): Promise<VerificationReport> {
  const { pool, projection, codeVersion, patienceMs } = options;
  const bringOn = scratchFold(options, generation, sample, onProgress);
  const live = await readLiveCheckpoint(pool, projection);
  await bringOn(live?.checkpoint.handled ?? null);
  const alignment = { projection, to: generation, patienceMs, bringOn };
  return onAlignedSnapshot(pool, alignment, async (client, { from }) => {
    const { builtBy, foldedBy, mixedAfter, checkpoint } = from.fold;
    return {
      position: checkpoint.handled,
      generation: from.generation,
      builtBy,
      foldedBy,
      mixedAfter,
      running: codeVersion,
      users: sample === 'everyone' ? null : sample.size,
      ...(await compareRows(client, [from.generation, generation], sample)),
    };
  });
}

/** Brings the scratch generation on to an event, and no further. */
function scratchFold(
  { store, streamPrefix, pool, projection, projectorOf, batchSize }: VerificationOptions,
  generation: number,
  sample: ReadonlySet<string> | 'everyone',
  onProgress: OnProgress,
): (until: Position | null) => Promise<void> {
  const key = { projection, generation };
  const log = new BoundedLog(new ReadAhead(projectionSource(store, streamPrefix, projection)));
  const runner = new BatchRunner(log, pool, projectorOf(generation, sample), key, batchSize, 'ahead');
  let events = 0;
  let reached: Checkpoint | null = null;
  return async (until) => {
    log.until = until;
    for (;;) {
      const read: Checkpoint | null = reached ?? (await findCheckpoint(pool, key));
      if (read === null) throw new UnknownGenerationError(generation);
      if (comparePositions(read.handled, until) >= 0 && read.partialProgress.length === 0) return;
      onProgress(read.handled, until, events);
      const round = await runner.run(read);
      if (round.outcome === 'fault') throw new GenerationFaultedError(generation, round.fault);
      // The log ends before an event that is in the read models, or the scratch generation was dropped meanwhile.
      if (round.outcome !== 'committed') throw new GenerationBehindError(generation, read.handled, until);
      reached = round.checkpoint;
      events += round.batch.applied;
    }
  };
}

/** So many users of those that are read, taken at random. */
async function sampleUsers(pool: Pool, count: number): Promise<ReadonlySet<string>> {
  const { rows } = await pool.query(
    `select user_id from tenure.user_role where generation = (select generation from tenure.live_generation)
     order by md5(user_id || $1) limit $2`,
    [randomUUID(), count],
  );
  return new Set(
    z
      .array(z.object({ user_id: z.string() }))
      .parse(rows)
      .map(({ user_id: userId }) => userId),
  );
}
