import { MalformedProofError } from './errors.js';

/** Hashes of a full tile (C2SP tlog-tiles, "Merkle Tree"). */
export const TILE_WIDTH = 256;

/** A tile of hashes: the `index`-th of its level, of which the first `width` (1 to 256) are there. */
export interface Tile {
  /** 0: of leaves; above it, a hash stands for a full tile of the level below. */
  readonly level: number;
  readonly index: number;
  readonly width: number;
}

/** As `Tile`, of the entries that the leaves are hashes of. */
export interface EntryBundle {
  readonly level: 'entries';
  readonly index: number;
  readonly width: number;
}

const MOST_LEVEL = 63;
const PATH = /^(entries|0|[1-9]\d?)\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;

/** Path of a tile below `tile/`: `{level}/{index}`, and `.p/{width}` of a partial one (C2SP tlog-tiles). */
export function tilePath({ level, index, width }: Tile | EntryBundle): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? [];
  const last = groups.pop();
  const path = [...groups.map((group) => `x${group}`), last].join('/');
  return `${level}/${path}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

/**
 * Reads a path below `tile/`.
 * @throws MalformedProofError where it is not the one spelling of a tile
 */
export function parseTilePath(path: string): Tile | EntryBundle {
  const [, level = '', groups = '', width] = PATH.exec(path) ?? [];
  const place = {
    index: Number(groups.replaceAll(/[x/]/g, '')),
    width: width === undefined ? TILE_WIDTH : Number(width),
  };
  const tile =
    level === 'entries' ? { level: 'entries' as const, ...place } : { level: Number(level), ...place };
  const isTile =
    Number.isSafeInteger(place.index) &&
    (width === undefined || place.width < TILE_WIDTH) &&
    (tile.level === 'entries' || tile.level <= MOST_LEVEL);
  if (level === '' || !isTile || tilePath(tile) !== path) {
    throw new MalformedProofError('this is no path of a tile');
  }
  return tile;
}

/** Hashes that a level holds in a tree of `size` leaves. */
export function widthOfLevel(level: number, size: number): number {
  return Math.floor(size / TILE_WIDTH ** level);
}

/** Tiles that a tree of `to` leaves has and one of `from` leaves has not, lower levels first. */
export function tilesSince(from: number, to: number): readonly Tile[] {
  const tiles: Tile[] = [];
  for (let level = 0; widthOfLevel(level, to) > 0; level += 1) {
    const [before, after] = [widthOfLevel(level, from), widthOfLevel(level, to)];
    if (before === after) continue;
    for (let index = Math.floor(before / TILE_WIDTH); index * TILE_WIDTH < after; index += 1) {
      tiles.push({ level, index, width: Math.min(TILE_WIDTH, after - index * TILE_WIDTH) });
    }
  }
  return tiles;
}
