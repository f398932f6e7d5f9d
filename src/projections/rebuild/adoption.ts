import type { Pool, PoolClient } from 'pg';
import { z } from 'zod';
import { inTransaction } from '../../database/in-transaction.js';
import { LogReplacedError } from '../../event-store/errors.js';
import { type EventStore } from '../../event-store/event-store.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import type { Position } from '../../events/stored-event.js';
import { readLiveCheckpoint } from '../engine/checkpoint.js';
import { knownLogOnly } from '../engine/log-watch.js';
import { holdsEventOf, projectionSource } from '../engine/projection-source.js';
import type { Projector } from '../engine/projector.js';
import { renewFeedEpoch } from '../read-models/revocation-feed.reader.js';
import { type ComparisonReport, compareGenerations } from './comparison.js';
import { DraftingEventStore } from './drafting-event-store.js';
import { AdoptionInterruptedError, LogIsKnownError, UnknownGenerationError } from './errors.js';
import { FOLD_COLUMNS, type GenerationFold, parseFold } from './generation-fold.js';
import { beginGeneration, dropGeneration, underLock } from './generation-table.js';
import { type LostEvent, lostEvents } from './lost-events.js';
import { publishAgain } from './republish-catalog.js';
import { checkpointOf, scratchFold } from './scratch-fold.js';
import { type OnProgress, SCRATCH_LOCK, sweepScratch } from './scratch-generation.js';
import { keepServedDefaults, keepServedOfAll } from './served-from.js';
import { keepHistory, movePointer, WORK_MEM, writeOffsets } from './swap.js';

/** Who adopts a log, and why; a preview only reports what that would change. */
export interface AdoptionOrder {
  readonly actor: string;
  readonly reason: string;
  readonly does: 'adopt' | 'preview';
  readonly onProgress: OnProgress;
}

/** A place in a log: the position of an event, and when it was recorded (RFC 3339). `null` before the first. */
export interface LogPlace {
  readonly position: Position | null;
  readonly at: string | null;
}

/** What an adoption did, or would do. */
export interface AdoptionReport extends ComparisonReport {
  /** Number of the swap; `null` where nothing was done. */
  readonly swap: number | null;
  /** The last event that the read models know, the last of the log, and the last in both that changed what a user may do. */
  readonly known: LogPlace;
  readonly log: LogPlace;
  readonly common: LogPlace;
  /** Whether the catalogue in force, which the log lacks, is published again. */
  readonly catalog: 'in the log' | 'published again';
  /** What the read models hold and the log lacks: Stripe's, to be delivered or asked for again, and what ops had said. */
  readonly lost: { readonly stripe: readonly LostEvent[]; readonly own: readonly LostEvent[] };
}

export interface AdoptionOptions {
  readonly store: EventStore;
  readonly streamPrefix: string;
  readonly pool: Pool;
  readonly projection: string;
  readonly codeVersion: string;
  readonly projectorOf: (generation: number) => Projector<EventEnvelope>;
  readonly now: () => number;
}

/**
 * Takes the log as it is for the right one (DESIGN 12): folds it from its beginning into a new generation, and makes that the
 * one that is read, in one transaction that raises versions and feed where snapshots change. The generations from before
 * are kept for their history, and nothing leads back to them. Until that transaction everything is as it was: what a killed
 * command leaves behind is dropped by the next. Running services find the event of the new checkpoint and go on.
 * @throws LogIsKnownError when the log holds the event of the live checkpoint, GenerationFaultedError,
 * AdoptionInterruptedError when the log changed meanwhile
 */
export async function adoptLog(options: AdoptionOptions, order: AdoptionOrder): Promise<AdoptionReport> {
  const { pool, projection, codeVersion } = options;
  await expectAnother(options);
  await sweepScratch(pool, projection);
  const generation = await beginGeneration(pool, {
    projection,
    state: 'scratch',
    startedBy: order.actor,
    reason: order.reason,
    codeVersion,
    order: null,
  });
  return underLock(pool, [SCRATCH_LOCK, generation], async () => {
    let report: AdoptionReport | null = null;
    try {
      report = await foldAndMove(options, order, generation);
      return report;
    } finally {
      if (report === null || report.swap === null) await dropGeneration(pool, projection, generation);
    }
  });
}

async function foldAndMove(
  options: AdoptionOptions,
  order: AdoptionOrder,
  generation: number,
): Promise<AdoptionReport> {
  const { pool, store, streamPrefix, projection } = options;
  const drafts = new DraftingEventStore(store);
  const catalog = await publishAgain({
    ...options,
    store: order.does === 'adopt' ? store : drafts,
    actor: order.actor,
  });
  const fold = scratchFold(options, generation, order.onProgress);
  await fold(projectionSource(store, streamPrefix, projection), await store.head());
  const inLog = await checkpointOf(pool, projection, generation);
  if (drafts.last !== null) await fold(drafts.log, drafts.last);
  return inTransaction(pool, async (client) => {
    await client.query(`set local synchronous_commit = on; set local work_mem = '${WORK_MEM}'`);
    const aligned = await holdBoth(client, projection, generation);
    if (await holdsEventOf(store, aligned.from.fold.checkpoint)) throw new LogIsKnownError();
    if (!(await holdsEventOf(store, inLog))) throw new AdoptionInterruptedError();
    const swap = aligned.liveEpoch + 1;
    const now = options.now();
    const does = order.does === 'adopt';
    const compared = await compareGenerations(client, { ...aligned, now }, 'everyone', (page) =>
      does ? writeOffsets(client, swap, page, now) : Promise.resolve(),
    );
    const { handled, logicalTime: knownMs } = aligned.from.fold.checkpoint;
    const report: AdoptionReport = {
      ...compared,
      swap: does ? swap : null,
      known: { position: handled, at: timeOf(handled, knownMs) },
      log: { position: inLog.handled, at: timeOf(inLog.handled, inLog.logicalTime) },
      common: await lastInBoth(client, aligned.from.generation, generation),
      catalog,
      lost: await lostEvents(client, aligned.from.generation, generation),
    };
    if (!does) return report;
    await keepServedOfAll(client, { generation, now });
    await keepServedDefaults(client, { generation, now });
    await keepHistory(client, swap, aligned, 'everyone');
    await retireOthers(client, generation);
    await movePointer(client, { ...order, projection, kind: 'adoption' }, aligned, report);
    await moveOtherCheckpoints(client, aligned.to.fold.checkpoint.handled);
    await freezeTree(client);
    await renewFeedEpoch(client);
    return report;
  });
}

/**
 * Every checkpoint of the log that is no generation's of this projection goes to the end of the adopted log, in this
 * transaction, and acts on nothing from before it: those of reactions.
 */
async function moveOtherCheckpoints(client: PoolClient, end: Position | null): Promise<void> {
  const { rows } = await client.query(
    `select to_regclass('tenure.reaction_checkpoint') is not null as "isThere"`,
  );
  if (rows[0]?.isThere !== true) return; // a read side alone, without what reacts to it
  await client.query(
    `update tenure.reaction_checkpoint set position = $1, revision = revision + 1,
       ordinal = (select coalesce(max(ordinal), 0) from tenure.served_entitlement)`,
    [end],
  );
}

/** The Merkle tree of the log that is gone stays as it was signed; the adopted log begins another one. */
async function freezeTree(client: PoolClient): Promise<void> {
  const { rows } = await client.query(`select to_regclass('tenure.audit_tree') is not null as "isThere"`);
  if (rows[0]?.isThere !== true) return; // a read side alone
  await client.query('update tenure.audit_tree set frozen_at = clock_timestamp() where frozen_at is null');
}

/** @throws LogIsKnownError unless two looks find that the log is another one */
async function expectAnother({ store, pool, projection }: AdoptionOptions): Promise<void> {
  try {
    await knownLogOnly(store, () => readLiveCheckpoint(pool, projection))();
  } catch (error) {
    if (error instanceof LogReplacedError) return;
    throw error;
  }
  throw new LogIsKnownError();
}

/** Holds pointer and checkpoints, in the order of every swap: the live fold waits, reads do not. */
async function holdBoth(client: PoolClient, projection: string, to: number) {
  const { rows } = await client.query('select generation, swaps from tenure.live_generation for update');
  const { generation, swaps } = z.object({ generation: z.number(), swaps: z.number() }).parse(rows[0]);
  const hold = async (which: number): Promise<GenerationFold> => {
    const found = await client.query(
      `select ${FOLD_COLUMNS} from tenure.projection_checkpoint where projection = $1 and generation = $2 for update`,
      [projection, which],
    );
    if (found.rows[0] === undefined) throw new UnknownGenerationError(which);
    return parseFold(found.rows[0]);
  };
  return {
    liveEpoch: swaps,
    from: { generation, fold: await hold(generation) },
    to: { generation: to, fold: await hold(to) },
  };
}

/** Every other generation is of a log that is gone: kept for its history, never folded, compared or read again. */
async function retireOthers(client: PoolClient, adopted: number): Promise<void> {
  await client.query(
    `update tenure.projection_generation set state = 'replaced'
     where generation <> $1 and state in ('building', 'served')`,
    [adopted],
  );
  await client.query(
    `update tenure.rebuild_order set outcome = 'failed', finished_at = now(), failure_code = 'log_replaced',
       failure_message = 'the log that it was built from was replaced by another one'
     where outcome is null and generation <> $1`,
    [adopted],
  );
}

async function lastInBoth(client: PoolClient, from: number, to: number): Promise<LogPlace> {
  const { rows } = await client.query(
    `select a.position::text, a.changed_at as at from tenure.entitlement_history a
     join tenure.entitlement_history b on b.generation = $2 and b.user_id = a.user_id
       and b.event_id = a.event_id and b.position = a.position
     where a.generation = $1 and a.event_id is not null order by a.position desc limit 1`,
    [from, to],
  );
  const found = z.object({ position: z.string(), at: z.date() }).optional().parse(rows[0]);
  return { position: found?.position ?? null, at: found?.at.toISOString() ?? null };
}

function timeOf(position: Position | null, ms: number): string | null {
  return position === null ? null : new Date(ms).toISOString();
}
