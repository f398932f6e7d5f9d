import { FalseProofError } from './errors.js';
import { rootOfHashes } from './tile-tree.js';
import { TILE_WIDTH, type Tile, widthOfLevel } from './tiles.js';
import { HASH_BYTES } from './tree-hash.js';

/** A tile as wide as it is now, its hashes one behind the other. */
export interface GrownTile {
  readonly level: number;
  readonly index: number;
  readonly hashes: Buffer;
}

const TILE_BYTES = TILE_WIDTH * HASH_BYTES;

/** What is there of a level: how many hashes or marks, of so many bytes each, and its last tile where that is not full. */
export interface LevelEnd {
  readonly level: number;
  readonly width: number;
  readonly last: Buffer | undefined;
  readonly bytesEach: number;
}

/**
 * Tiles that change or are new when `leaves` are added to a tree of `size` leaves: of the old log nothing is needed but the
 * tiles at its edge.
 * @param edge the last tile of each level where it is not full; see `edgeOf`
 */
export function growTiles(
  size: number,
  edge: ReadonlyMap<number, Buffer>,
  leaves: readonly Buffer[],
): readonly GrownTile[] {
  const tiles: GrownTile[] = [];
  let added = Buffer.concat(leaves);
  for (let level = 0; added.length > 0; level += 1) {
    const end = { level, width: widthOfLevel(level, size), last: edge.get(level), bytesEach: HASH_BYTES };
    const grown = addToLevel(end, added);
    tiles.push(...grown);
    added = Buffer.concat(
      grown.filter(({ hashes }) => hashes.length === TILE_BYTES).map(({ hashes }) => rootOfHashes(hashes)),
    );
  }
  return tiles;
}

/** The tiles of one level that change when something is added behind its end. */
export function addToLevel({ level, width, last, bytesEach }: LevelEnd, added: Buffer): readonly GrownTile[] {
  const before = last ?? Buffer.of();
  if (before.length !== (width % TILE_WIDTH) * bytesEach) {
    throw new FalseProofError(`the last tile of level ${level} is not as wide as the tree makes it`);
  }
  const hashes = Buffer.concat([before, added]);
  const first = Math.floor(width / TILE_WIDTH);
  const tileBytes = TILE_WIDTH * bytesEach;
  return Array.from({ length: Math.ceil(hashes.length / tileBytes) }, (_, at) => ({
    level,
    index: first + at,
    hashes: hashes.subarray(at * tileBytes, (at + 1) * tileBytes),
  }));
}

/** The tiles at the edge of a tree that are not full. */
export function edgeOf(size: number): readonly Tile[] {
  const edge: Tile[] = [];
  for (let level = 0; widthOfLevel(level, size) > 0; level += 1) {
    const width = widthOfLevel(level, size);
    if (width % TILE_WIDTH > 0) {
      edge.push({ level, index: Math.floor(width / TILE_WIDTH), width: width % TILE_WIDTH });
    }
  }
  return edge;
}
