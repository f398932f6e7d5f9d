import { setTimeout as pause } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import { z } from 'zod';
import { inTransaction } from '../../database/in-transaction.js';
import { comparePositions, type Position } from '../../events/stored-event.js';
import { GenerationBehindError, GenerationFaultedError, GenerationIsLiveError } from './errors.js';
import { FOLD_COLUMNS, type GenerationFold, parseFold } from './generation-fold.js';

/** The live generation and another one, both locked at the same event. */
export interface AlignedCheckpoints {
  readonly liveEpoch: number;
  readonly from: { readonly generation: number; readonly fold: GenerationFold };
  readonly to: { readonly generation: number; readonly fold: GenerationFold };
}

export interface AlignedCheckpointsOptions {
  readonly projection: string;
  readonly to: number;
  /** How long the other generation may take to catch up, in milliseconds. */
  readonly patienceMs: number;
  /** Called while the other one is behind: brings it on to an event, or leaves that to whoever folds it. */
  readonly bringOn: (until: Position | null) => Promise<void>;
}

/** How long the live generation is locked at a time while the other one catches up, in milliseconds. */
const HOLD_MS = 2_000;
const LOOK_MS = 10;

const pointerRow = z.object({ generation: z.number(), swaps: z.number() });

/**
 * Waits until the other generation comes to where the live one just was; then holds the pointer and the live checkpoint
 * by row locks in the open (read committed) transaction of `client`, waits for the little that is missing, and holds the
 * other checkpoint too. No read waits for these locks; the live fold does, and goes on when the transaction ends. Locks
 * are always taken in this order: pointer, live, other.
 * @throws GenerationIsLiveError, GenerationFaultedError, GenerationBehindError
 */
export async function holdAligned(
  client: PoolClient,
  { projection, to, patienceMs, bringOn }: AlignedCheckpointsOptions,
): Promise<AlignedCheckpoints> {
  const read = async (generation: number, lock: 'for update' | ''): Promise<GenerationFold | null> => {
    const { rows } = await client.query(
      `select ${FOLD_COLUMNS} from tenure.projection_checkpoint where projection = $1 and generation = $2 ${lock}`,
      [projection, generation],
    );
    return rows[0] === undefined ? null : parseFold(rows[0]);
  };
  const livePointer = async (lock: 'for update' | ''): Promise<z.infer<typeof pointerRow>> => {
    const { rows } = await client.query(`select generation, swaps from tenure.live_generation ${lock}`);
    const pointer = pointerRow.parse(rows[0]);
    if (pointer.generation === to) throw new GenerationIsLiveError(to);
    return pointer;
  };
  let deadline = Date.now() + patienceMs;
  let publishing = '[]';
  /** Waits, no longer than until `limit`, for the other one to come to `position`. */
  const comesTo = async (position: Position | null, limit: number): Promise<boolean> => {
    for (;;) {
      const other = await read(to, '');
      if (other?.checkpoint.fault != null) throw new GenerationFaultedError(to, other.checkpoint.fault);
      const handled = other?.checkpoint.handled ?? null;
      if (other !== null && comparePositions(handled, position) >= 0) return true;
      if (Date.now() >= deadline) throw new GenerationBehindError(to, handled, position);
      if (Date.now() >= limit) return false;
      await bringOn(position);
      await pause(LOOK_MS);
    }
  };
  for (;;) {
    const before = await read((await livePointer('')).generation, '');
    await comesTo(before?.checkpoint.handled ?? null, deadline);

    await client.query('savepoint aligned');
    const { generation, swaps: liveEpoch } = await livePointer('for update');
    const live = await read(generation, 'for update');
    const position = live?.checkpoint.handled ?? null;
    const publications = JSON.stringify(live?.checkpoint.partialProgress ?? []);
    if (live?.checkpoint.partialProgress.length === 0 && (await comesTo(position, Date.now() + HOLD_MS))) {
      const fold = await read(to, 'for update');
      if (fold !== null && isAligned(live, fold)) {
        return { liveEpoch, from: { generation, fold: live }, to: { generation: to, fold } };
      }
    }
    // Lets the live fold go on: a publication is under way, and waited for while it moves, or the other one was delayed.
    await client.query('rollback to savepoint aligned');
    if (publications !== publishing) deadline = Date.now() + patienceMs;
    publishing = publications;
    if (Date.now() >= deadline) throw new GenerationBehindError(to, null, position);
    await pause(LOOK_MS);
  }
}

/**
 * Does `work` on a snapshot in which both generations are at the same event: they are locked only until it is taken.
 * @throws what `holdAligned` throws
 */
export function onAlignedSnapshot<T>(
  pool: Pool,
  options: AlignedCheckpointsOptions,
  work: (client: PoolClient, aligned: AlignedCheckpoints) => Promise<T>,
): Promise<T> {
  return inTransaction(
    pool,
    async (client) => {
      const aligned = await inTransaction(pool, async (holder) => {
        const found = await holdAligned(holder, options);
        await client.query('select from tenure.live_generation'); // the first statement takes the snapshot
        return found;
      });
      return work(client, aligned);
    },
    'repeatable read read only',
  );
}

function isAligned({ checkpoint: live }: GenerationFold, { checkpoint: other }: GenerationFold): boolean {
  const isSameEvent =
    live.handled === other.handled &&
    (live.eventId === other.eventId || live.eventId === null || other.eventId === null);
  return live.partialProgress.length === 0 && other.partialProgress.length === 0 && isSameEvent;
}
