import { parseCheckpointText } from '../merkle/checkpoint.js';
import { parseNote } from '../merkle/signed-note.js';
import { TileTree } from '../merkle/tile-tree.js';
import { type EntryBundle, type Tile, tilePath, tilesSince } from '../merkle/tiles.js';
import { MirrorDisagreesError } from './errors.js';
import type { Mirror } from './mirror.js';
import type { PublishedTree } from './published-tree.js';

/**
 * Brings a mirror level with the newest checkpoint of a tree: first the tiles and entries that it lacks, then the checkpoint, so
 * that what it says it has is always there. Before that the tree is proved to begin with what the mirror holds.
 * @returns how many files were written
 * @throws MirrorDisagreesError, and what the mirror and the database answer
 */
export async function publishTo(mirror: Mirror, published: Published, tree: number): Promise<number> {
  for (;;) {
    const note = await published.checkpoint(tree);
    if (note === null) return 0;
    try {
      return await bringLevel(mirror, published, tree, note);
    } catch (error) {
      if (!(error instanceof MirrorDisagreesError)) throw error;
      // Another instance may have signed and copied more since this one asked what is signed.
      if ((await published.checkpoint(tree)) === note) throw error;
    }
  }
}

type Published = Pick<PublishedTree, 'checkpoint' | 'tile'>;

async function bringLevel(mirror: Mirror, published: Published, tree: number, note: string): Promise<number> {
  const there = (await mirror.read('checkpoint'))?.toString() ?? null;
  if (there === note) return 0;
  const { size } = parseCheckpointText(parseNote(note).text);
  const tile = async (wanted: Tile | EntryBundle): Promise<Buffer> => {
    const bytes = await published.tile(tree, wanted);
    if (bytes === null) throw new Error(`tile ${tilePath(wanted)} is not published`);
    return bytes;
  };
  const from = there === null ? 0 : await sizeOf(there, note, new TileTree(size, tile));
  let written = 0;
  for (const each of tilesSince(from, size)) {
    const { level, index, width } = each;
    const files = level === 0 ? [each, { level: 'entries' as const, index, width }] : [each];
    for (const file of files) {
      await mirror.write(`tile/${tilePath(file)}`, await tile(file));
      written += 1;
    }
  }
  await mirror.write('checkpoint', Buffer.from(note));
  return written + 1;
}

/** How far a mirror is. @throws MirrorDisagreesError where it is of another tree, or ahead */
async function sizeOf(there: string, note: string, tiles: TileTree): Promise<number> {
  const [old, now] = [there, note].map((each) => parseCheckpointText(parseNote(each).text));
  if (old === undefined || now === undefined || old.origin !== now.origin) {
    throw new MirrorDisagreesError(`the mirror is of ${old?.origin}, and the log is ${now?.origin}`);
  }
  if (old.size > now.size || !(await tiles.root(old.size)).equals(old.root)) {
    throw new MirrorDisagreesError(
      `the mirror has ${old.size} events of ${old.origin} with which the log does not begin: see \`tenure audit verify\``,
    );
  }
  return old.size;
}
