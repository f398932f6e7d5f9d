import type { Pool, PoolClient } from 'pg';
import { z } from 'zod';
import type { Position } from '../../events/stored-event.js';
import { CHECKPOINT_COLUMNS, type ProjectionFault, parseCheckpoint } from './checkpoint.js';
import type { ProjectionKey } from './projection-key.js';
import { summaryText } from './set-aside-summary.js';

/** What is tried again: the fault at which a generation stood, and how many streams and users were set aside. */
export interface TriedAgain {
  readonly fault: ProjectionFault | null;
  readonly streams: number;
  readonly users: number;
}

/**
 * Has everything tried again at which a generation stands, or that it set aside, and counts anew against the limit. The
 * checkpoint's revision moves: by that whoever folds it sees it. `null` when there is no such generation.
 */
export function tryAllAgain(pool: Pool, key: ProjectionKey): Promise<TriedAgain | null> {
  return underCheckpoint(pool, key, async (client) => {
    const { projection, generation } = key;
    const found = await client.query(
      `select ${CHECKPOINT_COLUMNS} from tenure.projection_checkpoint where projection = $1 and generation = $2`,
      [projection, generation],
    );
    const { fault, setAside } = parseCheckpoint(found.rows[0]);
    const streams = await client.query(
      'update tenure.set_aside_stream set tried_by = null where generation = $1',
      [generation],
    );
    const users = await client.query(
      'update tenure.faulted_user set tried_by = null where generation = $1 and own is not null',
      [generation],
    );
    await client.query(
      `update tenure.projection_checkpoint set fault = null, set_aside = $3, revision = revision + 1
       where projection = $1 and generation = $2`,
      [projection, generation, summaryText({ ...setAside, recent: [] })],
    );
    return { fault, streams: streams.rowCount ?? 0, users: users.rowCount ?? 0 };
  });
}

const generationRows = z.array(z.object({ generation: z.number() }));

/** Has a stream tried again, in every generation in which the event at `position` is the first that it set aside. */
export async function tryStreamAgain(
  pool: Pool,
  projection: string,
  stream: string,
  position: Position,
): Promise<void> {
  const at = 'stream = $1 and position = $2';
  const found = await pool.query(`select generation from tenure.set_aside_stream where ${at}`, [
    stream,
    position,
  ]);
  for (const { generation } of generationRows.parse(found.rows)) {
    await underCheckpoint(pool, { projection, generation }, async (client) => {
      await client.query(
        `update tenure.set_aside_stream set tried_by = null where ${at} and generation = $3`,
        [stream, position, generation],
      );
      await client.query(
        `update tenure.projection_checkpoint set revision = revision + 1
         where projection = $1 and generation = $2`,
        [projection, generation],
      );
    });
  }
}

/** One transaction that holds a checkpoint, so that no batch commits meanwhile; `null` when there is none. */
async function underCheckpoint<T>(
  pool: Pool,
  { projection, generation }: ProjectionKey,
  work: (client: PoolClient) => Promise<T>,
): Promise<T | null> {
  const client = await pool.connect();
  let broken: Error | undefined;
  const note = (error: Error): void => {
    broken = error; // a checked-out client without a listener would end the process
  };
  client.on('error', note);
  try {
    await client.query('begin');
    const locked = await client.query(
      'select from tenure.projection_checkpoint where projection = $1 and generation = $2 for update',
      [projection, generation],
    );
    const result = locked.rowCount === 1 ? await work(client) : null;
    await client.query('commit');
    return result;
  } catch (error) {
    broken ??= error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    client.off('error', note);
    client.release(broken);
  }
}
