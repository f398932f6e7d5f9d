import type { Pool } from 'pg';
import { formatNote, type NoteSignature, parseNote } from '../merkle/signed-note.js';
import { TileTree } from '../merkle/tile-tree.js';
import { readTrees, readWholeTile, writeCheckpoint } from './tree.repository.js';
import { cosignatureOf, type Witness } from './witness.js';

export interface GatherOptions {
  readonly pool: Pool;
  readonly witnesses: readonly Witness[];
  /** Unix ms. */
  readonly now: () => number;
  /** Hears why a witness did not sign; it is asked again with the next round. */
  readonly onTrouble: (error: unknown) => void;
}

/** Has the newest checkpoint of a tree signed by the witnesses that have not yet. Each counts for itself. */
export async function gatherCosignatures(options: GatherOptions, tree: number): Promise<void> {
  const { pool, witnesses, now, onTrouble } = options;
  if (witnesses.length === 0) return;
  const found = (await readTrees(pool)).find((each) => each.tree === tree);
  if (found === undefined || found.checkpoint === null) return;
  const note = found.checkpoint;
  const { text, signatures } = parseNote(note);
  const tiles = new TileTree(found.checkpointSize, (tile) => readWholeTile(pool, tree, tile));
  const missing = witnesses.filter(
    ({ key }) => !signatures.some(({ name, id }) => name === key.name && id.equals(key.id)),
  );
  const asked = await Promise.allSettled(missing.map((witness) => cosignatureOf(witness, note, tiles)));
  const given: NoteSignature[] = [];
  for (const each of asked) {
    if (each.status === 'fulfilled') given.push(each.value);
    else onTrouble(each.reason);
  }
  if (given.length === 0) return;
  const checkpoint = formatNote({ text, signatures: [...signatures, ...given] });
  await writeCheckpoint(pool, found, { checkpoint, size: found.checkpointSize, now: now() });
}
