import type { Pool, PoolClient } from 'pg';
import { z } from 'zod';
import { comparePositions, type Position } from '../../events/stored-event.js';
import { BUILD_BEGIN, paceOf, reckoned } from './build-progress.js';
import type { ComparisonReport } from './comparison.js';
import type { GenerationError } from './errors.js';

/** What is done with a build once it has caught up and is compared: a dry run drops it. */
export const AFTERWARDS = ['swap', 'keep', 'drop'] as const;
export type Afterwards = (typeof AFTERWARDS)[number];

/**
 * Where a rebuild is. `level` waits for somebody to say what comes next, `comparing` is run by whoever folds it,
 * `dropping` waits for earlier reads; the last four are ends.
 */
export const REBUILD_PHASES = [
  'building',
  'level',
  'comparing',
  'dropping',
  'swapped',
  'kept',
  'dropped',
  'failed',
] as const;
export type RebuildPhase = (typeof REBUILD_PHASES)[number];

/** A rebuild as it is in the database, whoever asked for it and whoever carries it out. Plain data. */
export interface RebuildJob {
  readonly generation: number;
  readonly phase: RebuildPhase;
  /** `null`: whoever began it decides later. */
  readonly afterwards: Afterwards | null;
  readonly actor: string;
  readonly reason: string;
  /** RFC 3339. */
  readonly startedAt: string;
  /** RFC 3339; `null` before the end, and where there is no job. */
  readonly finishedAt: string | null;
  /** Version of the code that builds it; `null` once it is dropped, as everything that is read of the build. */
  readonly builtBy: string | null;
  readonly handled: Position | null;
  /** Where the generation is that is read. */
  readonly live: Position | null;
  readonly events: number | null;
  /** Of the time since it began; `null` but while it builds. */
  readonly eventsPerSecond: number | null;
  readonly secondsLeft: number | null;
  /** The report of the comparison or of the swap, as it was written. */
  readonly report: unknown;
  readonly failure: { readonly code: string; readonly message: string } | null;
}

/** The phases that nothing follows. */
export function isOver({ phase }: RebuildJob): boolean {
  return phase === 'swapped' || phase === 'kept' || phase === 'dropped' || phase === 'failed';
}

const afterwardsColumn = z.enum(AFTERWARDS).nullable();
const rebuildRow = z.object({
  generation: z.number(),
  state: z.enum(['building', 'served', 'scratch', 'dropping', 'dropped', 'replaced']),
  started_by: z.string(),
  reason: z.string(),
  started_at: z.date(),
  age_ms: z.number(),
  afterwards: afterwardsColumn,
  outcome: z.enum(['swapped', 'kept', 'dropped', 'failed']).nullable(),
  finished_at: z.date().nullable(),
  report: z.string().nullable(),
  failure_code: z.string().nullable(),
  failure_message: z.string().nullable(),
  built_by: z.string().nullable(),
  handled: z.string().nullable(),
  events: z.coerce.number().nullable(),
  live: z.string().nullable(),
  live_events: z.coerce.number().nullable(),
});
type RebuildRow = z.infer<typeof rebuildRow>;

/**
 * A rebuild by its generation; `latest` is the newest that is under way or has a job. `null` when there is none. One
 * statement, so one moment.
 */
export async function findRebuild(
  pool: Pool,
  projection: string,
  which: number | 'latest',
): Promise<RebuildJob | null> {
  const { rows } = await pool.query(
    `select g.generation, g.state, g.started_by, g.reason, g.started_at,
       extract(epoch from clock_timestamp() - g.started_at)::float8 * 1000 as age_ms,
       o.afterwards, o.outcome, o.finished_at, o.report, o.failure_code, o.failure_message,
       c.built_by, c.handled::text, c.events::text, l.handled::text as live, l.events::text as live_events
     from tenure.projection_generation g
     left join tenure.rebuild_order o using (generation)
     left join tenure.projection_checkpoint c on c.projection = $1 and c.generation = g.generation
     left join tenure.projection_checkpoint l on l.projection = $1
       and l.generation = (select generation from tenure.live_generation)
     where case when $2::int is null then g.state = 'building' or o.generation is not null
       else g.generation = $2 end
     order by g.generation desc limit 1`,
    [projection, which === 'latest' ? null : which],
  );
  return rows[0] === undefined ? null : toRebuild(rebuildRow.parse(rows[0]));
}

function toRebuild(row: RebuildRow): RebuildJob {
  const { handled, live, events, failure_code: code, failure_message: message } = row;
  const phase = phaseOf(row);
  const pace =
    phase === 'building' && events !== null
      ? paceOf(
          BUILD_BEGIN,
          reckoned({ handled, events }, { handled: live, events: row.live_events ?? 0 }),
          live,
          row.age_ms,
        )
      : { eventsPerSecond: null, secondsLeft: null };
  return {
    generation: row.generation,
    phase,
    afterwards: row.afterwards,
    actor: row.started_by,
    reason: row.reason,
    startedAt: row.started_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
    builtBy: row.built_by,
    handled,
    live,
    events,
    ...pace,
    report: row.report === null ? null : JSON.parse(row.report),
    failure: code === null || message === null ? null : { code, message },
  };
}

function phaseOf({ state, outcome, afterwards, handled, live }: RebuildRow): RebuildPhase {
  if (outcome !== null) return outcome;
  switch (state) {
    case 'building':
      if (comparePositions(handled, live) < 0) return 'building';
      return afterwards === null ? 'level' : 'comparing';
    case 'served':
      return 'swapped';
    case 'dropping':
      return 'dropping';
    case 'scratch':
    case 'replaced':
    case 'dropped':
      return 'dropped';
    default:
      return exhausted(state);
  }
}

/** What is to be done with a build, and the id (a UUID) by which a repeat of the request finds it. */
export interface RebuildOrder {
  readonly id: string;
  readonly afterwards: Afterwards;
}

/** Keeps what is to be done with a build; part of the transaction that begins it. */
export async function writeJob(
  client: PoolClient,
  generation: number,
  { id, afterwards }: RebuildOrder,
): Promise<void> {
  await client.query('insert into tenure.rebuild_order (generation, id, afterwards) values ($1, $2, $3)', [
    generation,
    id,
    afterwards,
  ]);
}

/** The generation that was begun under the id of an order, whatever became of it; `null` where none was. */
export async function findOrdered(client: PoolClient, { id }: RebuildOrder): Promise<number | null> {
  const { rows } = await client.query('select generation from tenure.rebuild_order where id = $1', [id]);
  return z.object({ generation: z.number() }).optional().parse(rows[0])?.generation ?? null;
}

/** Notes the report of a build that is to be dropped: its end is noted when it is gone. */
export async function noteReport(pool: Pool, generation: number, report: ComparisonReport): Promise<void> {
  await pool.query('update tenure.rebuild_order set report = $2 where generation = $1 and outcome is null', [
    generation,
    JSON.stringify(report),
  ]);
}

/**
 * Ends the order of a build that is kept, or was swapped in, whoever did it: then as part of the transaction of the swap. One
 * that has ended stays as it is.
 */
export async function noteEnd(
  connection: Pool | PoolClient,
  generation: number,
  outcome: 'kept' | 'swapped',
  report: ComparisonReport,
): Promise<void> {
  await connection.query(
    `update tenure.rebuild_order set outcome = $3, finished_at = now(), report = $2
     where generation = $1 and outcome is null`,
    [generation, JSON.stringify(report), outcome],
  );
}

/** Ends an order that cannot be carried out; its build stays. Returns whether it was this that ended it. */
export async function noteFailure(
  pool: Pool,
  generation: number,
  { code, message }: GenerationError,
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `update tenure.rebuild_order set outcome = 'failed', finished_at = now(), failure_code = $2,
       failure_message = $3
     where generation = $1 and outcome is null`,
    [generation, code, message],
  );
  return rowCount === 1;
}

function exhausted(state: never): never {
  throw new TypeError(`a state without a meaning: ${JSON.stringify(state)}`);
}
