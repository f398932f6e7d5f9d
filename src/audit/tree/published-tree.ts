import type { Pool } from 'pg';
import { SharedAnswer } from '../../http/shared-answer.js';
import { bundleOf, entryOf, unpackMarks } from '../merkle/leaf.js';
import { TileTree } from '../merkle/tile-tree.js';
import { type EntryBundle, TILE_WIDTH, type Tile, widthOfLevel } from '../merkle/tiles.js';
import { formatTlogProof } from '../merkle/tlog-proof.js';
import { EVENT_MARKS, type LogTree, readTrees, readWholeTile } from './tree.repository.js';

const KEPT_MS = 1_000;

/**
 * What is public of the trees of a log (C2SP tlog-tiles): signed checkpoints, tiles, and proofs made of them. Nothing is told of
 * what is beyond the newest checkpoint.
 */
export class PublishedTree {
  readonly #trees: SharedAnswer<readonly LogTree[]>;

  /** @param keptMs how long the newest checkpoint is told before it is read anew, in milliseconds; left out, a second */
  constructor(
    private readonly pool: Pool,
    keptMs = KEPT_MS,
  ) {
    this.#trees = new SharedAnswer(() => readTrees(pool), keptMs);
  }

  /** The newest signed checkpoint of a tree, of the newest tree where none is named; `null` where there is none. */
  async checkpoint(tree: number | 'newest'): Promise<string | null> {
    return (await this.#tree(tree))?.checkpoint ?? null;
  }

  /** The bytes of a tile, or of a bundle of entries; `null` where the newest checkpoint has none such. */
  async tile(tree: number, tile: Tile | EntryBundle): Promise<Buffer | null> {
    const found = await this.#tree(tree);
    const level = tile.level === 'entries' ? 0 : tile.level;
    const end = tile.index * TILE_WIDTH + tile.width;
    if (found === null || end > widthOfLevel(level, found.checkpointSize)) return null;
    const { index, width } = tile;
    if (tile.level !== 'entries') return readWholeTile(this.pool, tree, tile);
    return entriesOf(index, await readWholeTile(this.pool, tree, { level: EVENT_MARKS, index, width }));
  }

  /** A proof that the entry at an index is in the tree of the newest checkpoint (C2SP tlog-proof); `null` where it is not. */
  async proof(tree: number | 'newest', index: number): Promise<string | null> {
    const found = await this.#tree(tree);
    if (found === null || found.checkpoint === null || index >= found.checkpointSize) return null;
    const { checkpoint, checkpointSize } = found;
    const tiles = new TileTree(checkpointSize, (tile) => readWholeTile(this.pool, found.tree, tile));
    return formatTlogProof({ index, hashes: await tiles.inclusion(index), checkpoint });
  }

  async #tree(tree: number | 'newest'): Promise<LogTree | null> {
    const trees = await this.#trees.get();
    return (tree === 'newest' ? trees[0] : trees.find((each) => each.tree === tree)) ?? null;
  }
}

/** The entries of events, of their marks, the first of which is at the begin of the tile. */
function entriesOf(index: number, marks: Buffer): Buffer {
  return bundleOf(unpackMarks(marks).map((mark, at) => entryOf(index * TILE_WIDTH + at, mark)));
}
