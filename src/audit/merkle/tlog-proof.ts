import { type Checkpoint, parseCheckpointText, parseHash, parseNumber } from './checkpoint.js';
import { MalformedProofError } from './errors.js';
import type { VerifierKey } from './note-keys.js';
import { checkInclusion } from './proofs.js';
import { type HeldSignature, heldSignatures, parseNote } from './signed-note.js';

/** A proof that can be checked without asking anyone (C2SP tlog-proof). */
export interface TlogProof {
  readonly index: number;
  readonly hashes: readonly Buffer[];
  /** The signed checkpoint, as it was published. */
  readonly checkpoint: string;
}

const HEADER = 'c2sp.org/tlog-proof@v1';

export function formatTlogProof({ index, hashes, checkpoint }: TlogProof): string {
  const lines = [HEADER, `index ${index}`, ...hashes.map((hash) => hash.toString('base64'))];
  return `${lines.join('\n')}\n\n${checkpoint}`;
}

/** Reads a proof; a line of extra data is passed over, because nothing signs it. @throws MalformedProofError */
export function parseTlogProof(text: string): TlogProof {
  const split = text.indexOf('\n\n');
  const [header, ...lines] = text.slice(0, Math.max(split, 0)).split('\n');
  if (header !== HEADER) throw new MalformedProofError(`a proof begins with ${HEADER}`);
  if (lines[0]?.startsWith('extra ')) lines.shift();
  const index = lines.shift();
  if (!index?.startsWith('index ')) throw new MalformedProofError('a proof says the index of its entry');
  return {
    index: parseNumber(index.slice('index '.length)),
    hashes: lines.map(parseHash),
    checkpoint: text.slice(split + 2),
  };
}

/** What a proof shows of an entry. */
export interface ProvenEntry {
  readonly checkpoint: Checkpoint;
  readonly signatures: readonly HeldSignature[];
}

/**
 * Checks that a log that these keys sign has the leaf at the index that the proof says.
 * @throws MalformedProofError, FalseProofError
 */
export function checkTlogProof(proof: TlogProof, leaf: Buffer, keys: readonly VerifierKey[]): ProvenEntry {
  const note = parseNote(proof.checkpoint);
  const signatures = heldSignatures(note, keys);
  const checkpoint = parseCheckpointText(note.text);
  checkInclusion(checkpoint, proof.index, leaf, proof.hashes);
  return { checkpoint, signatures };
}
