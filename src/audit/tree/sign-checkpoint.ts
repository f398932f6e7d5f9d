import type { Pool } from 'pg';
import type { SealedSecrets } from '../../auth/sealed-secrets.js';
import { checkpointText, parseCheckpointText } from '../merkle/checkpoint.js';
import { cosignText, privateKeyOf, signText } from '../merkle/note-keys.js';
import { formatNote, type NoteSignature, parseNote } from '../merkle/signed-note.js';
import { TileTree } from '../merkle/tile-tree.js';
import { stateOf, verifierKeysOf } from './audit-key.js';
import { type KeptAuditKey, makeAuditKey, openAuditKey, readAuditKeys } from './audit-key.repository.js';
import { AuditKeyUnreadableError, TreeInconsistentError } from './errors.js';
import { type LogTree, readWholeTile, writeCheckpoint } from './tree.repository.js';

export interface SignOptions {
  readonly pool: Pool;
  readonly secrets: SealedSecrets;
  /** Unix ms. */
  readonly now: () => number;
}

/**
 * Signs a checkpoint of the first `size` leaves of a tree, which is built as far, where that says something new: more leaves, or
 * other keys. Before that it proves that the tree begins with the one that was signed before.
 * @returns whether there is a new checkpoint
 * @throws TreeInconsistentError, AuditKeyUnreadableError and what the database answers
 */
export async function signCheckpoint(options: SignOptions, tree: LogTree, size: number): Promise<boolean> {
  if (size === 0 && tree.checkpoint === null) return false;
  const { pool } = options;
  const tiles = new TileTree(size, (tile) => readWholeTile(pool, tree.tree, tile));
  await expectConsistent(tiles, tree, size);
  const text = checkpointText({ origin: tree.origin, size, root: await tiles.root(size) });
  const now = options.now();
  const signatures = signaturesOf(options, await signingKeys(options, now), {
    text,
    origin: tree.origin,
    now,
  });
  if (tree.checkpoint !== null && isSame(tree.checkpoint, text, signatures)) return false;
  return writeCheckpoint(pool, tree, { checkpoint: formatNote({ text, signatures }), size, now });
}

/** @throws TreeInconsistentError */
async function expectConsistent(
  tiles: TileTree,
  { origin, checkpoint }: LogTree,
  size: number,
): Promise<void> {
  if (checkpoint === null) return;
  const before = parseCheckpointText(parseNote(checkpoint).text);
  if (before.size > size) {
    throw new TreeInconsistentError(
      `the log has ${size} events, and a checkpoint of ${origin} is signed of ${before.size}: events are gone`,
    );
  }
  if (!(await tiles.root(before.size)).equals(before.root)) {
    throw new TreeInconsistentError(
      `the first ${before.size} events of the log are not those of which a checkpoint of ${origin} is signed`,
    );
  }
}

/** The keys that sign now, the newest first; the first of all is made when it is needed. */
export async function signingKeys(
  { pool, secrets }: SignOptions,
  now: number,
): Promise<readonly KeptAuditKey[]> {
  const found = await readAuditKeys(pool);
  const kept =
    found.length > 0 ? found : await makeAuditKey({ pool, secrets, now }, (keys) => keys.length === 0);
  return kept.filter((key) => stateOf(key, now) !== 'retired');
}

/** The signatures of a checkpoint: each key's as the log, and with the time. @throws AuditKeyUnreadableError */
function signaturesOf(
  { secrets }: SignOptions,
  keys: readonly KeptAuditKey[],
  { text, origin, now }: { readonly text: string; readonly origin: string; readonly now: number },
): readonly NoteSignature[] {
  return keys.flatMap((key) => {
    const seed = openAuditKey(secrets, key);
    if (seed === null && key.retiredAt !== null) return []; // its successor signs
    if (seed === null) throw new AuditKeyUnreadableError();
    const half = privateKeyOf(seed);
    const [log, timed] = verifierKeysOf(key, origin);
    return [
      { name: origin, id: log.id, signature: signText(text, half) },
      { name: origin, id: timed.id, signature: cosignText(text, half, Math.floor(now / 1_000)) },
    ];
  });
}

/** Whether a checkpoint says the same, by the same keys of the log; when, and which witnesses signed it, does not matter. */
function isSame(checkpoint: string, text: string, signatures: readonly NoteSignature[]): boolean {
  const before = parseNote(checkpoint);
  const own = new Set(signatures.map(({ name }) => name));
  const idsOf = (all: readonly NoteSignature[]): string =>
    all.flatMap(({ name, id }) => (own.has(name) ? id.toString('hex') : [])).join();
  return before.text === text && idsOf(before.signatures) === idsOf(signatures);
}
