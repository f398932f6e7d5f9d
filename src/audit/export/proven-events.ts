import type { Pool } from 'pg';
import { z } from 'zod';
import type { Position, StoredEvent } from '../../events/stored-event.js';
import { unpackMarks } from '../merkle/leaf.js';
import { TileTree } from '../merkle/tile-tree.js';
import { TILE_WIDTH } from '../merkle/tiles.js';
import { markOf } from '../tree/build-tree.js';
import { EVENT_MARKS, type LogTree, readHashes, readWholeTile } from '../tree/tree.repository.js';

/** An event with its place in the tree, and the proof that a checkpoint has it there (RFC 6962, 2.1.1). */
export interface ProvenEvent {
  readonly event: StoredEvent;
  readonly index: number;
  readonly proof: readonly Buffer[];
}

const tileRow = z.object({ position: z.string(), index: z.coerce.number().nullable() });

/** Proves events of the log by the newest checkpoint of its tree, in their order. `null`: it does not cover one of them yet. */
export async function proveEvents(
  pool: Pool,
  { tree, checkpointSize }: LogTree,
  events: readonly StoredEvent[],
): Promise<readonly ProvenEvent[] | null> {
  const tiles = new TileTree(checkpointSize, (tile) => readWholeTile(pool, tree, tile));
  const indexes = await indexesOf(pool, tree, events);
  const proven: ProvenEvent[] = [];
  for (const [n, event] of events.entries()) {
    const index = indexes[n] ?? null;
    if (index === null || index >= checkpointSize) return null;
    proven.push({ event, index, proof: await tiles.inclusion(index) });
  }
  return proven;
}

/** The places of events in a tree; `null` of one that it does not have. */
async function indexesOf(
  pool: Pool,
  tree: number,
  events: readonly StoredEvent[],
): Promise<readonly (number | null)[]> {
  const tileOf = await tilesAt(
    pool,
    tree,
    events.map(({ position }) => position),
  );
  const marks = new Map<number, ReadonlyMap<string, number>>();
  const indexes: (number | null)[] = [];
  for (const event of events) {
    const tile = tileOf.get(event.position) ?? null;
    const { id, hash } = markOf(event);
    if (tile !== null && !marks.has(tile)) {
      marks.clear(); // events are in order, so a tile that is behind is not needed again
      marks.set(tile, await marksOf(pool, tree, tile));
    }
    indexes.push(tile === null ? null : (marks.get(tile)?.get(`${id}/${hash}`) ?? null));
  }
  return indexes;
}

/** The tile of marks that begins at a position or last before it, by position. */
async function tilesAt(
  pool: Pool,
  tree: number,
  positions: readonly Position[],
): Promise<ReadonlyMap<Position, number | null>> {
  const { rows } = await pool.query(
    `select q.position::text, (
       select t.index::text from tenure.audit_tile t
       where t.tree = $1 and t.level = $2 and t.position <= q.position order by t.index desc limit 1
     ) as index
     from unnest($3::bigint[]) as q(position)`,
    [tree, EVENT_MARKS, positions],
  );
  return new Map(
    z
      .array(tileRow)
      .parse(rows)
      .map(({ position, index }) => [position, index]),
  );
}

async function marksOf(pool: Pool, tree: number, tile: number): Promise<ReadonlyMap<string, number>> {
  const bytes = await readHashes(pool, tree, { level: EVENT_MARKS, index: tile });
  const marks = unpackMarks(bytes ?? Buffer.of());
  return new Map(marks.map(({ id, hash }, at) => [`${id}/${hash}`, tile * TILE_WIDTH + at]));
}
