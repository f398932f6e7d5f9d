import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { z } from 'zod';
import { type EventStore } from '../../event-store/event-store.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import { comparePositions, type Position } from '../../events/stored-event.js';
import { BatchRunner } from '../engine/batch-runner.js';
import { BoundedLog } from '../engine/bounded-log.js';
import {
  type Checkpoint,
  findCheckpoint,
  type LiveCheckpoint,
  readLiveCheckpoint,
} from '../engine/checkpoint.js';
import type { ProjectionKey } from '../engine/projection-key.js';
import { projectionSource } from '../engine/projection-source.js';
import type { Projector } from '../engine/projector.js';
import { ReadAhead } from '../engine/read-ahead.js';
import type { FoldedApart } from '../entitlements/projector-options.js';
import { onAlignedSnapshot } from './aligned-checkpoints.js';
import { BuildFold, type BuildRound, LEAST_BY_GROUPS } from './build-fold.js';
import { BUILD_BEGIN, reckoned } from './build-progress.js';
import { GenerationBehindError, GenerationFaultedError, UnknownGenerationError } from './errors.js';
import { beginGeneration, dropGeneration, underLock } from './generation-table.js';
import { NarrowLog } from './narrow-log.js';
import { Relations } from './relations.js';
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
  /** Users whose snapshot, successors, counter, history and facts were compared; `null` is all. */
  readonly users: number | null;
}

/** Users of a sample, and how they are related by the log up to an event; `null` where it is folded whole for them. */
interface Sample {
  readonly users: ReadonlySet<string>;
  readonly relations: Relations | null;
  readonly relatedTo: Position | null;
}

export interface VerificationOptions {
  readonly store: EventStore;
  /** The setting `STREAM_PREFIX`. */
  readonly streamPrefix: string;
  readonly pool: Pool;
  readonly projection: string;
  readonly codeVersion: string;
  readonly projectorOf: (generation: number, only: FoldedApart) => Projector<EventEnvelope>;
  readonly batchSize: number;
  /** As of `BuildFold`; `undefined`: its default. */
  readonly leastByGroups?: number;
  readonly patienceMs: number;
}

/**
 * Folds the log again into a scratch generation and compares it, row by row and column by column, with what is read; the
 * served version is the counter plus an offset outside of generations, so it is the counters that must agree. `users`
 * limits all of it to so many users, taken at random: of the log only what has to do with them is folded, after it was read
 * once for that, and of facts only theirs are compared. Where something is set aside or was skipped, or ids are too many to be
 * held, all of it is folded and compared, and only judging is limited. Nothing that is read changes; the scratch generation is
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
  users: ReadonlySet<string> | 'everyone',
  onProgress: OnProgress,
): Promise<VerificationReport> {
  const { pool, projection, codeVersion, patienceMs } = options;
  const live = await readLiveCheckpoint(pool, projection);
  const sample = users === 'everyone' ? null : await sampleOf(options, users, live, onProgress);
  const isWhole = live === null || !(await isAnythingSetAside(pool, live.generation));
  const key = { projection, generation };
  const fold =
    sample === null
      ? foldOfAll(options, key, { byGroups: isWhole, events: live?.checkpoint.events ?? 0 })
      : foldOfSample(options, key, sample);
  try {
    const ofAll: OnProgress = (handled, until, events) =>
      onProgress(reckoned({ handled, events }, live?.checkpoint ?? BUILD_BEGIN).handled, until, events);
    const bringOn = bringingOn(pool, key, fold, sample === null ? ofAll : onProgress);
    await bringOn(live?.checkpoint.handled ?? null);
    const alignment = { projection, to: generation, patienceMs, bringOn };
    return await onAlignedSnapshot(pool, alignment, async (client, { from }) => {
      const { builtBy, foldedBy, mixedAfter, checkpoint } = from.fold;
      const compared = sample === null ? null : { users: sample.relations?.whole() ?? sample.users };
      const related = sample?.relations?.related() ?? null;
      return {
        position: checkpoint.handled,
        generation: from.generation,
        builtBy,
        foldedBy,
        mixedAfter,
        running: codeVersion,
        users: compared?.users.size ?? null,
        ...(await compareRows(client, [from.generation, generation], compared && { ...compared, related })),
      };
    });
  } finally {
    await fold.stop();
  }
}

/** A sample of users, with how they are related by the log up to the live checkpoint. */
async function sampleOf(
  options: VerificationOptions,
  users: ReadonlySet<string>,
  live: LiveCheckpoint | null,
  onProgress: OnProgress,
): Promise<Sample> {
  const relatedTo = live?.checkpoint.handled ?? null;
  if (live === null || (await isAnythingSetAside(options.pool, live.generation))) {
    return { users, relations: null, relatedTo };
  }
  const log = boundedLog(options);
  log.until = relatedTo;
  const onPage = (scanned: Position | null, events: number): void => onProgress(scanned, relatedTo, events);
  return { users, relations: await Relations.read(log, users, onPage), relatedTo };
}

/** By what is set aside, or was, the time of a fold differs from what the log says. */
async function isAnythingSetAside(pool: Pool, generation: number): Promise<boolean> {
  const { rows } = await pool.query(
    `select from tenure.set_aside_stream where generation = $1
     union all select from tenure.faulted_user where generation = $1 limit 1`,
    [generation],
  );
  return rows.length > 0;
}

function boundedLog({ store, streamPrefix, projection }: VerificationOptions): BoundedLog {
  return new BoundedLog(new ReadAhead(projectionSource(store, streamPrefix, projection)));
}

/** Brings the scratch generation on to an event, and no further. */
function bringingOn(
  pool: Pool,
  key: ProjectionKey,
  fold: Fold,
  onProgress: OnProgress,
): (until: Position | null) => Promise<void> {
  const { generation } = key;
  let reached: Checkpoint | null = null;
  return async (until) => {
    for (;;) {
      const read: Checkpoint | null = reached ?? (await findCheckpoint(pool, key));
      if (read === null) throw new UnknownGenerationError(generation);
      onProgress(read.handled, until, read.events);
      if (comparePositions(read.handled, until) >= 0 && read.partialProgress.length === 0) return;
      const round = await fold.run(read, until);
      if (round.outcome === 'fault') throw new GenerationFaultedError(generation, round.fault);
      // The log ends before an event that is in the read models, or the scratch generation was dropped meanwhile.
      if (round.outcome !== 'committed' && round.outcome !== 'moved') {
        throw new GenerationBehindError(generation, read.handled, until);
      }
      reached = round.checkpoint;
    }
  };
}

/** Folds from a checkpoint, up to an event, a step at a time. */
interface Fold extends Pick<BuildFold, 'stop'> {
  run(read: Checkpoint, until: Position | null): Promise<BuildRound>;
}

/** `events`: how many there are, about. */
function foldOfAll(
  options: VerificationOptions,
  key: ProjectionKey,
  { byGroups, events }: { readonly byGroups: boolean; readonly events: number },
): Fold {
  const least = byGroups ? (options.leastByGroups ?? LEAST_BY_GROUPS) : null;
  const fold = new BuildFold({ ...options, key, leastByGroups: least });
  return { run: (read, handled) => fold.run(read, { handled, events }), stop: () => fold.stop() };
}

function foldOfSample(
  options: VerificationOptions,
  key: ProjectionKey,
  { users: judgedUsers, relations, relatedTo }: Sample,
): Fold {
  const { pool, projectorOf, batchSize } = options;
  const log = boundedLog(options);
  const narrow = relations === null ? null : new NarrowLog(log, relations, relatedTo);
  const projector = projectorOf(key.generation, {
    judgedUsers,
    ...(narrow === null ? {} : { timeAt: (event: EventEnvelope) => narrow.timeAt(event) }),
  });
  const runner = new BatchRunner(narrow ?? log, pool, projector, key, batchSize, 'ahead');
  return {
    run: (read, until) => {
      log.until = until;
      return runner.run(read);
    },
    stop: () => runner.stop(),
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
