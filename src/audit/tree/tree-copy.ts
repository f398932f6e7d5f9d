import { type Checkpoint, parseCheckpointText } from '../merkle/checkpoint.js';
import { FalseProofError } from '../merkle/errors.js';
import { type EventMark, leafOf, parseBundle } from '../merkle/leaf.js';
import { parseNote } from '../merkle/signed-note.js';
import { TileTree } from '../merkle/tile-tree.js';
import { TILE_WIDTH, type Tile, tilePath } from '../merkle/tiles.js';
import { HASH_BYTES } from '../merkle/tree-hash.js';
import type { Mirror } from './mirror.js';

/** A copy of the tree that is kept elsewhere, as far as its checkpoint goes; read a tile at a time, in order at best. */
export class TreeCopy {
  #leaves: { readonly index: number; readonly hashes: Buffer } | null = null;
  #marks: { readonly index: number; readonly marks: readonly EventMark[] } | null = null;

  private constructor(
    private readonly mirror: Mirror,
    readonly note: string,
    readonly checkpoint: Checkpoint,
  ) {}

  /**
   * Reads the checkpoint of a mirror and proves that its tiles are those of it.
   * @returns `null` where there is none yet
   * @throws FalseProofError where the mirror disagrees with itself, MalformedProofError, and what the mirror answers
   */
  static async open(mirror: Mirror): Promise<TreeCopy | null> {
    const note = await mirror.read('checkpoint');
    if (note === null) return null;
    const text = note.toString();
    const checkpoint = parseCheckpointText(parseNote(text).text);
    const copy = new TreeCopy(mirror, text, checkpoint);
    const root = await new TileTree(checkpoint.size, (tile) => copy.#tile(tile)).root(checkpoint.size);
    if (!root.equals(checkpoint.root))
      throw new FalseProofError('the tiles of the mirror are not those of its checkpoint');
    return copy;
  }

  get size(): number {
    return this.checkpoint.size;
  }

  /** The leaf at an index. */
  async leaf(index: number): Promise<Buffer> {
    const tile = Math.floor(index / TILE_WIDTH);
    if (this.#leaves?.index !== tile) {
      const hashes = await this.#tile({ level: 0, index: tile, width: this.#widthOf(tile) });
      this.#leaves = { index: tile, hashes };
    }
    const at = (index % TILE_WIDTH) * HASH_BYTES;
    return this.#leaves.hashes.subarray(at, at + HASH_BYTES);
  }

  /** Id and hash of the event at an index, held against its leaf. @throws FalseProofError */
  async mark(index: number): Promise<EventMark> {
    const tile = Math.floor(index / TILE_WIDTH);
    if (this.#marks?.index !== tile) {
      const path = tilePath({ level: 'entries', index: tile, width: this.#widthOf(tile) });
      this.#marks = { index: tile, marks: parseBundle(await this.#bytes(path)) };
    }
    const mark = this.#marks.marks[index % TILE_WIDTH];
    if (mark === undefined || !leafOf(index, mark).equals(await this.leaf(index))) {
      throw new FalseProofError(`the entry ${index} of the mirror is not the one of its leaf`);
    }
    return mark;
  }

  #widthOf(tile: number): number {
    return Math.min(TILE_WIDTH, this.size - tile * TILE_WIDTH);
  }

  async #tile(tile: Tile): Promise<Buffer> {
    const bytes = await this.#bytes(tilePath(tile));
    if (bytes.length !== tile.width * HASH_BYTES)
      throw new FalseProofError(`tile ${tilePath(tile)} is not as wide as it says`);
    return bytes;
  }

  async #bytes(path: string): Promise<Buffer> {
    const bytes = await this.mirror.read(`tile/${path}`);
    if (bytes === null)
      throw new FalseProofError(`the mirror has no tile ${path}, which its checkpoint needs`);
    return bytes;
  }
}
