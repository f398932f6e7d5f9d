import { MalformedProofError } from './errors.js';
import type { TreeHead } from './proofs.js';
import { HASH_BYTES } from './tree-hash.js';

/** What a checkpoint says: which log, how many entries, and the root of their tree (C2SP tlog-checkpoint). */
export interface Checkpoint extends TreeHead {
  readonly origin: string;
}

/** The text of a checkpoint, which is signed as a note; Tenure's has no extension lines. */
export function checkpointText({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${root.toString('base64')}\n`;
}

/**
 * Reads the text of a checkpoint; extension lines are passed over.
 * @throws MalformedProofError where it is none
 */
export function parseCheckpointText(text: string): Checkpoint {
  const [origin = '', size = '', root = '', ...rest] = text.split('\n');
  const isEnded = rest.at(-1) === '' && rest.slice(0, -1).every((line) => line !== '');
  if (origin === '' || !isEnded) throw new MalformedProofError('this is no text of a checkpoint');
  return { origin, size: parseNumber(size), root: parseHash(root) };
}

/** A number as these formats write it: decimal, without leading zeroes. @throws MalformedProofError */
export function parseNumber(digits: string): number {
  const number = Number(digits);
  if (!/^(0|[1-9]\d*)$/.test(digits) || !Number.isSafeInteger(number)) {
    throw new MalformedProofError('this is no number of a checkpoint or proof');
  }
  return number;
}

/** A hash as these formats write it, in base64 (RFC 4648, 4). @throws MalformedProofError */
export function parseHash(base64: string): Buffer {
  const hash = Buffer.from(base64, 'base64');
  if (hash.length !== HASH_BYTES || hash.toString('base64') !== base64) {
    throw new MalformedProofError('this is no hash of 32 bytes in base64');
  }
  return hash;
}
