import { FalseProofError } from './errors.js';
import { consistencyRanges, inclusionRanges, type LeafRange } from './proofs.js';
import { TILE_WIDTH, type Tile, widthOfLevel } from './tiles.js';
import { EMPTY_ROOT, HASH_BYTES, nodeHash } from './tree-hash.js';

/** Gives the hashes of a tile, one behind the other: `width` of them, or more. */
export type ReadTile = (tile: Tile) => Promise<Buffer>;

/** Levels of the tree that one level of tiles spans. */
const TILE_HEIGHT = 8;

/** Roots and proofs of a tree that is kept in tiles. A tree of n leaves needs log n tiles for any of them. */
export class TileTree {
  readonly #read = new Map<string, Promise<Buffer>>();

  /** @param size leaves of the tree: tiles are read as wide as it makes them, and no wider */
  constructor(
    readonly size: number,
    private readonly readTile: ReadTile,
  ) {}

  /** Root of the first `size` leaves. */
  root(size: number): Promise<Buffer> {
    return size === 0 ? Promise.resolve(EMPTY_ROOT) : this.#rangeHash({ from: 0, to: size });
  }

  /** The hash of the leaf at `index`. */
  leaf(index: number): Promise<Buffer> {
    return this.#subtree(0, index);
  }

  /** A proof that the tree has the leaf at `index` (RFC 6962, 2.1.1). */
  inclusion(index: number): Promise<readonly Buffer[]> {
    return Promise.all(inclusionRanges(index, this.size).map((range) => this.#rangeHash(range)));
  }

  /** A proof that the tree begins with its first `size` leaves (RFC 6962, 2.1.2). */
  consistency(size: number): Promise<readonly Buffer[]> {
    return Promise.all(consistencyRanges(size, this.size).map((range) => this.#rangeHash(range)));
  }

  /** Root of a range, put together of the complete subtrees that it is made of, the smallest of which is last. */
  async #rangeHash(range: LeafRange): Promise<Buffer> {
    const hashes = await Promise.all(completeSubtrees(range).map(([level, at]) => this.#subtree(level, at)));
    return hashes.reduceRight((right, left) => nodeHash(left, right));
  }

  /** Root of the `index`-th complete subtree of 2^level leaves. */
  async #subtree(level: number, index: number): Promise<Buffer> {
    const tileLevel = Math.floor(level / TILE_HEIGHT);
    const count = 2 ** (level % TILE_HEIGHT);
    const first = index * count;
    const tile = await this.#tile(tileLevel, Math.floor(first / TILE_WIDTH));
    const from = first % TILE_WIDTH;
    if (tile.length < (from + count) * HASH_BYTES) throw new FalseProofError('a tile is too short');
    return rootOfHashes(tile.subarray(from * HASH_BYTES, (from + count) * HASH_BYTES));
  }

  #tile(level: number, index: number): Promise<Buffer> {
    const name = `${level}/${index}`;
    const known = this.#read.get(name);
    if (known !== undefined) return known;
    const width = Math.min(TILE_WIDTH, widthOfLevel(level, this.size) - index * TILE_WIDTH);
    const read = this.readTile({ level, index, width });
    this.#read.set(name, read);
    return read;
  }
}

/** Root of a complete subtree, of the hashes of its lowest level: a power of two of them. */
export function rootOfHashes(hashes: Buffer): Buffer {
  let level = hashes;
  while (level.length > HASH_BYTES) {
    const above: Buffer[] = [];
    for (let at = 0; at < level.length; at += 2 * HASH_BYTES) {
      const middle = at + HASH_BYTES;
      above.push(nodeHash(level.subarray(at, middle), level.subarray(middle, middle + HASH_BYTES)));
    }
    level = Buffer.concat(above);
  }
  return level;
}

/** The greatest complete subtrees of a range that begins as RFC 6962 splits trees: level and index of each, from the left. */
function completeSubtrees({ from, to }: LeafRange): readonly (readonly [level: number, index: number])[] {
  const parts: [number, number][] = [];
  let at = from;
  while (at < to) {
    let level = 0;
    while (at % 2 ** (level + 1) === 0 && at + 2 ** (level + 1) <= to) level += 1;
    parts.push([level, at / 2 ** level]);
    at += 2 ** level;
  }
  return parts;
}
