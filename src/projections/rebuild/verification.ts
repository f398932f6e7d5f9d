import { randomUUID } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import { z } from 'zod';
import { type EventStore } from '../../event-store/event-store.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import { comparePositions, type Position } from '../../events/stored-event.js';
import { BatchRunner } from '../engine/batch-runner.js';
import { BoundedLog } from '../engine/bounded-log.js';
import { findCheckpoint, readLiveCheckpoint } from '../engine/checkpoint.js';
import { projectionSource } from '../engine/projection-source.js';
import type { Projector } from '../engine/projector.js';
import { GENERATION_TABLES } from '../read-models/partitions.js';
import { onAlignedSnapshot } from './aligned-checkpoints.js';
import { GenerationBehindError, GenerationFaultedError, UnknownGenerationError } from './errors.js';
import { beginGeneration, dropGeneration, underLock } from './generation-table.js';

/** Most differences that a report lists. */
const IN_FULL = 100;
/** "tnrs": class of the advisory locks that say whose scratch generations are in use. */
export const SCRATCH_LOCK = 0x746e7273;
type Table = (typeof GENERATION_TABLES)[number];

/** Tables with a row for a user; the others hold facts, and what is set aside. */
const USER_TABLES: readonly Table[] = [
  'user_role',
  'revocation_version',
  'entitlement_history',
  'faulted_user',
];
/** Columns that say what was tried, and when, not what follows from the log. */
const UNCOMPARED: Partial<Record<Table, string>> = {
  set_aside_stream: " - 'message' - 'tried_by' - 'late_at'",
  faulted_user: " - 'tried_by' - 'late_at'",
};
/** What a stream is about, by the tables that hold facts of it. */
const SUBJECTS: Partial<Record<Table, readonly [subject: string, column: string]>> = {
  subscription: ['subscription', 'subscription'],
  subscription_fact: ['subscription', 'subscription'],
  customer: ['customer', 'customer'],
  checkout: ['session', 'session'],
};

/** A row that is not in both: as it is read, or as the log gives it. Columns by name, as PostgreSQL writes them. */
export interface RowDifference {
  readonly table: string;
  readonly found: 'in the live generation' | 'in the log';
  readonly row: unknown;
}

/** How the live generation compares with a fold of the whole log by the running code. */
export interface VerificationReport {
  /** Both are at this event. */
  readonly position: Position | null;
  readonly generation: number;
  readonly builtBy: string;
  readonly foldedBy: string;
  readonly mixedAfter: Position | null;
  readonly running: string;
  /** Users whose snapshot, successors, counter and history were compared; `null` is all. Facts are compared whole. */
  readonly users: number | null;
  /**
   * Users touched by events that were set aside and folded on late: their rows say when Tenure learned, which no fold of the
   * log does, and are not compared. A rebuild takes the mark away.
   */
  readonly foldedLate: { readonly users: number; readonly first: readonly string[] };
  /** Rows that differ: one that has other values counts on both sides. */
  readonly differences: number;
  readonly byTable: Readonly<Record<string, number>>;
  readonly first: readonly RowDifference[];
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

/** Called while the log is folded: where it is, where it goes, and how many events it has folded. */
export type OnProgress = (handled: Position | null, until: Position | null, events: number) => void;

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
    afterwards: null,
  });
  return underLock(pool, [SCRATCH_LOCK, generation], async () => {
    try {
      return await foldAndCompare(options, generation, sample, onProgress);
    } finally {
      await dropGeneration(pool, projection, generation);
    }
  });
}

/** Drops scratch generations whose makers are gone: their sessions held a lock. */
export async function sweepScratch(pool: Pool, projection: string): Promise<void> {
  const { rows } = await pool.query(
    `select generation from tenure.projection_generation g where state = 'scratch' and not exists (
       select from pg_locks where locktype = 'advisory' and database = (
         select oid from pg_database where datname = current_database()
       ) and classid = $1 and objid = g.generation and granted)
       and started_at < now() - interval '1 minute'`,
    [SCRATCH_LOCK],
  );
  for (const { generation } of z.array(z.object({ generation: z.number() })).parse(rows)) {
    await dropGeneration(pool, projection, generation);
  }
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
  const log = new BoundedLog(projectionSource(store, streamPrefix, projection));
  const runner = new BatchRunner(log, pool, projectorOf(generation, sample), key, batchSize);
  let events = 0;
  return async (until) => {
    log.until = until;
    for (;;) {
      const read = await findCheckpoint(pool, key);
      if (read === null) throw new UnknownGenerationError(generation);
      if (comparePositions(read.handled, until) >= 0 && read.partialProgress.length === 0) return;
      onProgress(read.handled, until, events);
      const round = await runner.run(read);
      if (round.outcome === 'fault') throw new GenerationFaultedError(generation, round.fault);
      // The log ends before an event that is in the read models, or the scratch generation was dropped meanwhile.
      if (round.outcome !== 'committed') throw new GenerationBehindError(generation, read.handled, until);
      events += round.batch.applied;
    }
  };
}

async function compareRows(
  client: PoolClient,
  [live, scratch]: readonly [number, number],
  sample: ReadonlySet<string> | 'everyone',
): Promise<Pick<VerificationReport, 'differences' | 'byTable' | 'first' | 'foldedLate'>> {
  const byTable: Record<string, number> = {};
  const first: RowDifference[] = [];
  let differences = 0;
  for (const table of GENERATION_TABLES) {
    const isSampled = sample !== 'everyone' && USER_TABLES.includes(table);
    const rows = (generation: string): string =>
      `select to_jsonb(t) - 'generation'${UNCOMPARED[table] ?? ''} as row from tenure.${table} t
       where generation = ${generation} ${isSampled ? 'and user_id = any($3)' : ''} ${uncompared(table, sample)}`;
    const { rows: found } = await client.query(
      `select found, row, count(*) over ()::int as count from (
         (select 'in the live generation' as found, row from (${rows('$1')} except ${rows('$2')}) as a)
         union all
         (select 'in the log', row from (${rows('$2')} except ${rows('$1')}) as b)
       ) as differences order by row::text limit ${IN_FULL}`,
      [live, scratch, ...(isSampled ? [[...sample]] : [])],
    );
    const parsed = z.array(differenceRow).parse(found);
    byTable[table] = parsed[0]?.count ?? 0;
    differences += byTable[table];
    for (const { found: side, row } of parsed) {
      if (first.length < IN_FULL) first.push({ table, found: side, row });
    }
  }
  return { differences, byTable, first, foldedLate: await findLate(client, live) };
}

/** Rows of `t` that are not compared with the live generation ($1), as conditions. */
function uncompared(table: Table, sample: ReadonlySet<string> | 'everyone'): string {
  const late = 'f.generation = $1 and f.late_at is not null';
  if (USER_TABLES.includes(table)) {
    return `and not exists (select from tenure.faulted_user f where ${late} and f.user_id = t.user_id)`;
  }
  if (table === 'set_aside_stream') {
    const isLate = `exists (select from tenure.set_aside_stream f where ${late} and f.stream = t.stream)`;
    // Who is not judged shows no event that cannot be judged.
    return sample === 'everyone' ? `and not ${isLate}` : 'and false';
  }
  const [subject, column] = SUBJECTS[table] ?? [];
  return sample === 'everyone' || subject === undefined
    ? ''
    : `and not exists (select from tenure.set_aside_stream f
         where f.generation = $1 and f.subject::json->>'${subject}' = t.${column})`;
}

async function findLate(client: PoolClient, live: number): Promise<VerificationReport['foldedLate']> {
  const { rows } = await client.query(
    `select user_id, count(*) over ()::int as users from tenure.faulted_user
     where generation = $1 and late_at is not null order by user_id limit ${IN_FULL}`,
    [live],
  );
  const found = z.array(z.object({ user_id: z.string(), users: z.number() })).parse(rows);
  return { users: found[0]?.users ?? 0, first: found.map(({ user_id: userId }) => userId) };
}

const differenceRow = z.object({
  found: z.enum(['in the live generation', 'in the log']),
  row: z.unknown(),
  count: z.number(),
});

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
