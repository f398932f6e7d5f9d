import type { Pool, PoolClient } from 'pg';
import { z } from 'zod';
import type { Position } from '../../events/stored-event.js';
import { type PartialEvent, partialProgressColumn } from './partial-progress.js';
import type { ProjectionKey } from './projection-key.js';
import { NOTHING_SET_ASIDE, type SetAsideSummary, setAsideSummarySchema } from './set-aside-summary.js';

/** The event a projection stopped at, and why. */
export const projectionFaultSchema = z.strictObject({
  position: z.string(),
  type: z.string(),
  code: z.string(),
  message: z.string(),
});
export type ProjectionFault = z.infer<typeof projectionFaultSchema>;

/**
 * How far a projection came. `handled` is the last event applied, `eventId` its id (`null` where it was applied before ids
 * were kept), `scanned` how far the store was read, `partialProgress` the events up to `handled` that are still written in
 * parts, `logicalTime` the projection's own clock (Unix ms), which only events move. `revision` counts the commits, `events` the events folded.
 */
export interface Checkpoint {
  readonly handled: Position | null;
  readonly eventId: string | null;
  readonly scanned: Position | null;
  readonly partialProgress: readonly PartialEvent[];
  readonly logicalTime: number;
  readonly revision: number;
  readonly events: number;
  readonly setAside: SetAsideSummary;
  readonly fault: ProjectionFault | null;
}

/**
 * The checkpoint of the generation that is read. `liveEpoch` counts the moves of the pointer to it: of two looks, the one
 * with the greater epoch is the later, and equal epochs mean the same generation.
 */
export interface LiveCheckpoint {
  readonly generation: number;
  readonly liveEpoch: number;
  readonly checkpoint: Checkpoint;
}

/** Whether two looks at the live checkpoint saw the same commit of the same generation. */
export function isSameCommit(a: LiveCheckpoint, b: LiveCheckpoint): boolean {
  return a.liveEpoch === b.liveEpoch && a.checkpoint.revision === b.checkpoint.revision;
}

/** Whether one look at the live checkpoint saw an earlier commit than another. */
export function isEarlier(a: LiveCheckpoint, b: LiveCheckpoint): boolean {
  return (
    a.liveEpoch < b.liveEpoch ||
    (a.liveEpoch === b.liveEpoch && a.checkpoint.revision < b.checkpoint.revision)
  );
}

const liveRow = z
  .object({ generation: z.number(), swaps: z.number() })
  .transform(({ generation, swaps }) => ({ generation, liveEpoch: swaps }));

const checkpointRow = z.object({
  handled: z.string().nullable(),
  event_id: z.string().nullable(),
  scanned: z.string().nullable(),
  within: partialProgressColumn,
  now_ms: z.coerce.number(),
  revision: z.coerce.number(),
  events: z.coerce.number(),
  set_aside: z
    .string()
    .nullable()
    .transform((text) => (text === null ? NOTHING_SET_ASIDE : setAsideSummarySchema.parse(JSON.parse(text)))),
  fault: z
    .string()
    .nullable()
    .transform((text) => (text === null ? null : projectionFaultSchema.parse(JSON.parse(text)))),
});

/**
 * Columns of a checkpoint for `parseCheckpoint`. `within` and `now_ms` keep their first names, because a renamed column would stop
 * instances of the release before, which run beside this one during a deploy; so does `swaps` of `live_generation`.
 */
export const CHECKPOINT_COLUMNS =
  'handled::text, event_id, scanned::text, within, now_ms::text, revision::text, events::text, set_aside, fault';

/** What `parseLiveCheckpoint` reads of the projection `$1`: the pointer `l` and the checkpoint `c`. */
export const LIVE_CHECKPOINT = {
  columns: `l.generation, l.swaps, ${CHECKPOINT_COLUMNS}`,
  from: `tenure.live_generation l
         join tenure.projection_checkpoint c on c.projection = $1 and c.generation = l.generation`,
} as const;

/** Reads a database row of `LIVE_CHECKPOINT`. */
export function parseLiveCheckpoint(row: unknown): LiveCheckpoint {
  return { ...liveRow.parse(row), checkpoint: parseCheckpoint(row) };
}

/** Reads a database row of `CHECKPOINT_COLUMNS`. */
export function parseCheckpoint(row: unknown): Checkpoint {
  const { within: partialProgress, now_ms: logicalTime, ...rest } = checkpointRow.parse(row);
  const { event_id: eventId, set_aside: setAside, ...same } = rest;
  return { ...same, partialProgress, logicalTime, eventId, setAside };
}

/** The checkpoint, made at the beginning of the log when the projection never ran. */
export async function openCheckpoint(
  pool: Pool,
  key: ProjectionKey,
  codeVersion: string,
): Promise<Checkpoint> {
  const known = await findCheckpoint(pool, key);
  if (known !== null) return known;
  // Only now: an insert waits for whoever is in the middle of moving the row.
  await pool.query(
    `insert into tenure.projection_checkpoint (projection, generation, code_version, built_by)
     values ($1, $2, $3, $3) on conflict do nothing`,
    [key.projection, key.generation, codeVersion],
  );
  const made = await findCheckpoint(pool, key);
  if (made === null) throw new Error('a checkpoint was made and is not there');
  return made;
}

/** The checkpoint of one generation; `null` when it never began, or is dropped. */
export async function findCheckpoint(
  connection: Pool | PoolClient,
  key: ProjectionKey,
): Promise<Checkpoint | null> {
  const found = await connection.query(
    `select ${CHECKPOINT_COLUMNS} from tenure.projection_checkpoint where projection = $1 and generation = $2`,
    [key.projection, key.generation],
  );
  const row: unknown = found.rows[0];
  return row === undefined ? null : parseCheckpoint(row);
}

/** The checkpoint of the live generation; `null` before the projection's first start. One statement, so one moment. */
export async function readLiveCheckpoint(
  pool: Pool | PoolClient,
  projection: string,
): Promise<LiveCheckpoint | null> {
  const found = await pool.query({
    name: 'tenure-live-checkpoint',
    text: `select ${LIVE_CHECKPOINT.columns} from ${LIVE_CHECKPOINT.from}`,
    values: [projection],
  });
  const row: unknown = found.rows[0];
  return row === undefined ? null : parseLiveCheckpoint(row);
}

/** The checkpoint of the live generation, made at the beginning of the log when the projection never ran. */
export async function openLiveCheckpoint(
  pool: Pool,
  projection: string,
  codeVersion: string,
): Promise<LiveCheckpoint> {
  const known = await readLiveCheckpoint(pool, projection);
  if (known !== null) return known;
  const { rows } = await pool.query('select generation from tenure.live_generation');
  const { generation } = z.object({ generation: z.number() }).parse(rows[0]);
  await openCheckpoint(pool, { projection, generation }, codeVersion);
  const made = await readLiveCheckpoint(pool, projection);
  if (made === null) throw new Error('a checkpoint was made and is not there');
  return made;
}
