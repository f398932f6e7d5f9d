import type { Pool } from 'pg';
import { formatNote, type NoteSignature, parseNote } from '../merkle/signed-note.js';
import { TileTree } from '../merkle/tile-tree.js';
import { WitnessDisagreesError } from './errors.js';
import { type LogTree, readTrees, readWholeTile, writeCheckpoint } from './tree.repository.js';
import { cosignatureOf, type Witness } from './witness.js';

export interface GatherOptions {
  readonly pool: Pool;
  readonly witnesses: readonly Witness[];
  /** Unix ms. */
  readonly now: () => number;
}

/** What came of asking witnesses: who signed, and why others did not. */
export interface Gathered {
  readonly signed: number;
  readonly failures: readonly unknown[];
}

/**
 * Has the newest checkpoint of a tree signed by the witnesses that have not yet. Each counts for itself, and one that did not
 * sign is asked again with the next round.
 */
export async function gatherCosignatures(options: GatherOptions, tree: number): Promise<Gathered> {
  const { pool, witnesses, now } = options;
  const found = witnesses.length === 0 ? undefined : await treeOf(pool, tree);
  if (found === undefined || found.checkpoint === null) return { signed: 0, failures: [] };
  const note = found.checkpoint;
  const { text, signatures } = parseNote(note);
  const tiles = new TileTree(found.checkpointSize, (tile) => readWholeTile(pool, tree, tile));
  const missing = witnesses.filter(
    ({ key }) => !signatures.some(({ name, id }) => name === key.name && id.equals(key.id)),
  );
  const asked = await Promise.allSettled(missing.map((witness) => cosignatureOf(witness, note, tiles)));
  const given: NoteSignature[] = [];
  const failures: unknown[] = [];
  for (const each of asked) {
    if (each.status === 'fulfilled') given.push(each.value);
    else failures.push(each.reason);
  }
  if (given.length > 0) {
    const checkpoint = formatNote({ text, signatures: [...signatures, ...given] });
    await writeCheckpoint(pool, found, { checkpoint, size: found.checkpointSize, now: now() });
  }
  if (!failures.some((failure) => failure instanceof WitnessDisagreesError)) {
    return { signed: given.length, failures };
  }
  // Another instance may have shown a witness more than this one knew of: then they do not disagree.
  const isOutdated = (await treeOf(pool, tree))?.checkpointSize !== found.checkpointSize;
  const told = failures.filter((failure) => !(isOutdated && failure instanceof WitnessDisagreesError));
  return { signed: given.length, failures: told };
}

async function treeOf(pool: Pool, tree: number): Promise<LogTree | undefined> {
  return (await readTrees(pool)).find((each) => each.tree === tree);
}
