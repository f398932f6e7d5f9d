import { hash } from 'node:crypto';

/** Length of every hash of the tree, in bytes. */
export const HASH_BYTES = 32;

const LEAF_PREFIX = Buffer.of(0);
/** What a node is hashed of, filled anew for each. */
const NODE = Buffer.alloc(1 + 2 * HASH_BYTES, 1);

/** Root of the tree of no leaves (RFC 6962, 2.1). */
export const EMPTY_ROOT = hash('sha256', '', 'buffer');

/** Hash of an entry, of bytes or of a text, as a leaf (RFC 6962, 2.1). */
export function leafHash(entry: Buffer | string): Buffer {
  const bytes = typeof entry === 'string' ? `\u0000${entry}` : Buffer.concat([LEAF_PREFIX, entry]);
  return sha256(bytes);
}

/** Hash of the node above two others (RFC 6962, 2.1). */
export function nodeHash(left: Buffer, right: Buffer): Buffer {
  left.copy(NODE, 1, 0, HASH_BYTES);
  right.copy(NODE, 1 + HASH_BYTES, 0, HASH_BYTES);
  return sha256(NODE);
}

/** A Buffer out of Node's pool: one that `hash` makes itself has memory of its own, and takes three times as long as the hash. */
function sha256(bytes: Buffer | string): Buffer {
  return Buffer.from(hash('sha256', bytes, 'binary'), 'binary');
}

/** The greatest power of two that is less than `size` (2 or more): where RFC 6962 splits a tree. */
export function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}
