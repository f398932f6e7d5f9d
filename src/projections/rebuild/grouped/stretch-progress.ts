import { setTimeout as pause } from 'node:timers/promises';
import type { Pool, PoolClient, QueryConfig } from 'pg';
import { z } from 'zod';
import { inTransaction } from '../../../database/in-transaction.js';
import { sqlStateOf } from '../../../database/transient.js';
import type { Position } from '../../../events/stored-event.js';
import type { Checkpoint } from '../../engine/checkpoint.js';
import type { ProjectionKey } from '../../engine/projection-key.js';
import type { LogicalTime } from '../../entitlements/logical-times.js';
import { timesStatement } from '../../entitlements/two-clock-statements.js';
import { GENERATION_TABLES, partitionOf } from '../../read-models/partitions.js';

/**
 * A stretch of the log, from the checkpoint's `handled` to `until`, that is folded group by group: the groups that begin up to
 * `through` are written (`null`: none is). `events` were folded before it. Checkpoints keep it as JSON under these names.
 */
const stretchSchema = z.strictObject({
  until: z.string(),
  events: z.number(),
  through: z.string().nullable(),
});
export type Stretch = z.infer<typeof stretchSchema>;

/** A fold that goes on in the log's order, because something in the log cannot be told apart by groups. */
const inOrderSchema = z.strictObject({ inOrder: z.literal(true) });

/** The last event of a stretch, and what the fold knows at it. */
export interface StretchEnd {
  readonly position: Position;
  readonly eventId: string;
  /** Unix ms. */
  readonly logicalTime: number;
  /** Events folded, those of the stretch included. */
  readonly events: number;
  readonly times: readonly LogicalTime[];
}

/** SQLSTATE `lock_not_available`. */
const LOCK_NOT_AVAILABLE = '55P03';
/** How long reads may wait behind whoever takes a generation back, in milliseconds. */
const LOCK_MS = 20;
const PAUSE_MS = 100;
const WAIT_MS = 20_000;

/** Times in one statement. */
const TIMES_AT_ONCE = 10_000;

/** The stretch that a fold is in the middle of, `null`: none; `in order`: it takes no more of them. */
export async function findStretch(pool: Pool, key: ProjectionKey): Promise<Stretch | 'in order' | null> {
  const { rows } = await pool.query(
    'select stretch from tenure.projection_checkpoint where projection = $1 and generation = $2',
    [key.projection, key.generation],
  );
  const text = z.object({ stretch: z.string().nullable() }).optional().parse(rows[0])?.stretch ?? null;
  if (text === null) return null;
  const read = z.union([stretchSchema, inOrderSchema]).parse(JSON.parse(text));
  return 'inOrder' in read ? 'in order' : read;
}

/** Moves a fold within a stretch, and nothing else where nobody else has moved it: says whether it did. */
export async function noteStretch(
  client: Pool | PoolClient,
  key: ProjectionKey,
  read: Pick<Checkpoint, 'revision' | 'handled'>,
  { stretch, applied }: { readonly stretch: Stretch | 'in order' | null; readonly applied: number },
): Promise<boolean> {
  const text = stretch === null ? null : JSON.stringify(stretch === 'in order' ? { inOrder: true } : stretch);
  const moved = await client.query({
    name: 'tenure-move-stretch',
    text: `update tenure.projection_checkpoint
           set revision = revision + 1, events = events + $5, stretch = $6, fault = null
           where projection = $1 and generation = $2 and revision = $3 and handled is not distinct from $4`,
    values: [key.projection, key.generation, read.revision, read.handled, applied, text],
  });
  return moved.rowCount === 1;
}

/** Moves a fold to the end of its stretch; `false` where somebody else has moved it. */
export function endStretch(
  pool: Pool,
  key: ProjectionKey,
  read: Checkpoint,
  end: StretchEnd,
): Promise<boolean> {
  const { position, eventId, logicalTime, events, times } = end;
  return inTransaction(pool, async (client) => {
    const moved = await client.query(
      `update tenure.projection_checkpoint
       set handled = $4, scanned = $4, event_id = $5, now_ms = $6, events = $7, revision = revision + 1, stretch = null
       where projection = $1 and generation = $2 and revision = $3`,
      [key.projection, key.generation, read.revision, position, eventId, logicalTime, events],
    );
    if (moved.rowCount !== 1) return false;
    for (const statement of timeStatements(key.generation, times)) await client.query(statement);
    return true;
  });
}

/**
 * Takes back all that a fold made, to begin anew in the log's order; `false` where somebody else has moved it. To be used of a
 * generation that nobody reads. Whoever reads another one has a lock on its tables all the same while that read goes on, so
 * the tables are asked for but for moments, again and again: who came behind a longer wait would wait as long.
 */
export async function beginAnewInOrder(pool: Pool, key: ProjectionKey, read: Checkpoint): Promise<boolean> {
  for (let waited = 0; ; waited += PAUSE_MS) {
    try {
      return await takeBack(pool, key, read);
    } catch (error) {
      if (sqlStateOf(error) !== LOCK_NOT_AVAILABLE || waited >= WAIT_MS) throw error;
      await pause(PAUSE_MS);
    }
  }
}

function takeBack(pool: Pool, key: ProjectionKey, read: Checkpoint): Promise<boolean> {
  return inTransaction(pool, async (client) => {
    await client.query(`set local lock_timeout = ${LOCK_MS}`);
    const partitions = GENERATION_TABLES.map((table) => `tenure.${partitionOf(table, key.generation)}`);
    await client.query(`truncate ${partitions.join(', ')}`);
    const moved = await client.query(
      `update tenure.projection_checkpoint
       set handled = null, scanned = null, event_id = null, within = null, now_ms = 0, events = 0, set_aside = null,
         fault = null, mixed_after = null, revision = revision + 1, stretch = $4
       where projection = $1 and generation = $2 and revision = $3`,
      [key.projection, key.generation, read.revision, JSON.stringify({ inOrder: true })],
    );
    if (moved.rowCount !== 1) await client.query('rollback');
    return moved.rowCount === 1;
  });
}

function* timeStatements(generation: number, times: readonly LogicalTime[]): Iterable<QueryConfig> {
  for (let from = 0; from < times.length; from += TIMES_AT_ONCE) {
    yield timesStatement(generation, times.slice(from, from + TIMES_AT_ONCE));
  }
}
