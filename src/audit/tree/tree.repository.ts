import { randomBytes } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import { z } from 'zod';
import { inTransaction, type Statements } from '../../database/in-transaction.js';
import type { Position } from '../../events/stored-event.js';
import { edgeOf, type GrownTile } from '../merkle/grow-tiles.js';
import { type EventMark, MARK_BYTES, unpackMarks } from '../merkle/leaf.js';
import type { Tile } from '../merkle/tiles.js';
import { HASH_BYTES } from '../merkle/tree-hash.js';

/** Where ids and hashes of events are kept, beside the levels of the tree. */
export const EVENT_MARKS = -1;

/** A tree of a log. The first is number 1; each log that was adopted begins another, and the one before is frozen. */
export interface LogTree {
  readonly tree: number;
  readonly origin: string;
  readonly isFrozen: boolean;
  /** The newest signed checkpoint; `null` before the first. */
  readonly checkpoint: string | null;
  readonly checkpointSize: number;
  /** Unix ms. */
  readonly signedAt: number | null;
}

/** How far a tree was built: its leaves, and how far the log was read for them. */
export interface TreeProgress {
  readonly size: number;
  readonly position: Position | null;
}

const treeRow = z
  .object({
    tree: z.number(),
    origin: z.string(),
    frozen_at: z.date().nullable(),
    checkpoint: z.string().nullable(),
    checkpoint_size: z.coerce.number(),
    signed_at: z.date().nullable(),
  })
  .transform(
    (row): LogTree => ({
      tree: row.tree,
      origin: row.origin,
      isFrozen: row.frozen_at !== null,
      checkpoint: row.checkpoint,
      checkpointSize: row.checkpoint_size,
      signedAt: row.signed_at?.getTime() ?? null,
    }),
  );

/** All trees, the newest first. */
export async function readTrees(database: Statements): Promise<readonly LogTree[]> {
  const { rows } = await database.query(
    'select tree, origin, frozen_at, checkpoint, checkpoint_size, signed_at from tenure.audit_tree order by tree desc',
    [],
  );
  return z.array(treeRow).parse(rows);
}

/**
 * The tree that grows; made where there is none. The first is called `origin`, or, where nobody gave it a name, by chance; one
 * that follows another by the first's name and its own number.
 */
export async function growingTree(pool: Pool, origin: string | null, now: number): Promise<LogTree> {
  const [newest] = await readTrees(pool);
  if (newest !== undefined && !newest.isFrozen) return newest;
  return inTransaction(pool, async (client) => {
    await client.query('lock table tenure.audit_tree in share row exclusive mode');
    const trees = await readTrees(client);
    const [last] = trees;
    if (last !== undefined && !last.isFrozen) return last;
    const first = trees.at(-1)?.origin ?? origin ?? `tenure.invalid/${randomBytes(8).toString('hex')}`;
    const tree = (last?.tree ?? 0) + 1;
    const name = tree === 1 ? first : `${first}/${tree}`;
    await client.query('insert into tenure.audit_tree (tree, origin, began_at) values ($1, $2, $3)', [
      tree,
      name,
      new Date(now),
    ]);
    return { tree, origin: name, isFrozen: false, checkpoint: null, checkpointSize: 0, signedAt: null };
  });
}

const progressRow = z.object({ size: z.coerce.number(), position: z.string().nullable() });

/** How far a tree was built. */
export async function readTreeProgress(database: Statements, tree: number): Promise<TreeProgress> {
  const { rows } = await database.query(
    'select size, position::text from tenure.audit_progress where tree = $1',
    [tree],
  );
  return rows[0] === undefined ? { size: 0, position: null } : progressRow.parse(rows[0]);
}

const hashesRow = z.object({ hashes: z.instanceof(Buffer) });

/** Hashes of a tile, as many as there are; `null` where there is none. */
export async function readHashes(
  database: Statements,
  tree: number,
  { level, index }: Pick<Tile, 'level' | 'index'>,
): Promise<Buffer | null> {
  const { rows } = await database.query(
    'select hashes from tenure.audit_tile where tree = $1 and level = $2 and index = $3',
    [tree, level, index],
  );
  return rows[0] === undefined ? null : hashesRow.parse(rows[0]).hashes;
}

function bytesOf({ level, width }: Tile): number {
  return width * (level === EVENT_MARKS ? MARK_BYTES : HASH_BYTES);
}

/** Hashes of a tile as wide as it is asked for. @throws Error where the database does not hold it */
export async function readWholeTile(database: Statements, tree: number, tile: Tile): Promise<Buffer> {
  const hashes = await readHashes(database, tree, tile);
  const bytes = bytesOf(tile);
  if (hashes === null || hashes.length < bytes) {
    throw new Error(`tile ${tile.level}/${tile.index} of tree ${tree} is not there`);
  }
  return hashes.subarray(0, bytes);
}

const edgeRow = hashesRow.extend({ level: z.number() });

/**
 * The tiles at the edge of a tree of `size` leaves, by level, that of the events' marks among them: as wide as they were then,
 * though another instance has made them wider since.
 */
export async function readEdge(
  database: Statements,
  tree: number,
  size: number,
): Promise<ReadonlyMap<number, Buffer>> {
  const edge = edgeOf(size);
  const leaves = edge.filter(({ level }) => level === 0);
  const wanted = [...edge, ...leaves.map((tile) => ({ ...tile, level: EVENT_MARKS }))];
  const { rows } = await database.query(
    `select level, hashes from tenure.audit_tile join unnest($2::smallint[], $3::bigint[]) as wanted (level, index)
     using (level, index) where tree = $1`,
    [tree, wanted.map(({ level }) => level), wanted.map(({ index }) => index)],
  );
  const found = new Map(
    z
      .array(edgeRow)
      .parse(rows)
      .map(({ level, hashes }) => [level, hashes]),
  );
  return new Map(
    wanted.map((tile) => [tile.level, (found.get(tile.level) ?? Buffer.of()).subarray(0, bytesOf(tile))]),
  );
}

const marksRow = hashesRow.extend({ position: z.string() });

/** What a tree holds of 256 events, or of those that there are, and where the first of them stands; `null`: it has none there. */
export async function readMarks(
  database: Statements,
  tree: number,
  index: number,
): Promise<{ readonly marks: readonly EventMark[]; readonly position: Position } | null> {
  const { rows } = await database.query(
    'select hashes, position::text from tenure.audit_tile where tree = $1 and level = $2 and index = $3',
    [tree, EVENT_MARKS, index],
  );
  if (rows[0] === undefined) return null;
  const { hashes, position } = marksRow.parse(rows[0]);
  return { marks: unpackMarks(hashes), position };
}

/** What a page of the log adds to a tree. */
export interface TreeStep {
  readonly tree: number;
  readonly from: TreeProgress;
  readonly to: TreeProgress;
  readonly tiles: readonly (GrownTile & { readonly position: Position | null })[];
}

/** Writes a step, if the tree is still where it began. `false`: another instance was faster, and nothing is written. */
export function writeStep(pool: Pool, { tree, from, to, tiles }: TreeStep): Promise<boolean> {
  return inTransaction(pool, async (client) => {
    if (!(await moveProgress(client, tree, from, to))) return false;
    await client.query(
      `insert into tenure.audit_tile (tree, level, index, hashes, position)
       select $1, * from unnest($2::smallint[], $3::bigint[], $4::bytea[], $5::bigint[])
       on conflict (tree, level, index) do update set hashes = excluded.hashes`,
      [
        tree,
        tiles.map(({ level }) => level),
        tiles.map(({ index }) => index),
        tiles.map(({ hashes }) => hashes),
        tiles.map(({ position }) => position),
      ],
    );
    return true;
  });
}

async function moveProgress(
  client: PoolClient,
  tree: number,
  from: TreeProgress,
  to: TreeProgress,
): Promise<boolean> {
  // A frozen tree grows no more, whoever had begun a step.
  const { rows } = await client.query(
    'select from tenure.audit_tree where tree = $1 and frozen_at is null for update',
    [tree],
  );
  if (rows.length === 0) return false;
  const now = await readTreeProgress(client, tree);
  if (now.size !== from.size || now.position !== from.position) return false;
  await client.query(
    `insert into tenure.audit_progress (tree, size, position) values ($1, $2, $3)
     on conflict (tree) do update set size = excluded.size, position = excluded.position`,
    [tree, to.size, to.position],
  );
  return true;
}

/**
 * Keeps a checkpoint that was signed, in the place of the one before. `false`: another instance was faster. It is on the disk
 * when this resolves, whatever the database does by itself: others hold the log to it.
 */
export async function writeCheckpoint(
  pool: Pool,
  { tree, checkpoint: before }: LogTree,
  { checkpoint, size, now }: { readonly checkpoint: string; readonly size: number; readonly now: number },
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `with durable as materialized (select set_config('synchronous_commit', 'on', true))
     update tenure.audit_tree set checkpoint = $3, checkpoint_size = $4, signed_at = $5 from durable
     where tree = $1 and checkpoint is not distinct from $2 and frozen_at is null`,
    [tree, before, checkpoint, size, new Date(now)],
  );
  return rowCount === 1;
}
