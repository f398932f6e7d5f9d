import { createHash } from 'node:crypto';

/** Length of every hash of the tree, in bytes. */
export const HASH_BYTES = 32;

const LEAF_PREFIX = Buffer.of(0);
const NODE_PREFIX = Buffer.of(1);

/** Root of the tree of no leaves (RFC 6962, 2.1). */
export const EMPTY_ROOT = createHash('sha256').digest();

/** Hash of an entry as a leaf (RFC 6962, 2.1). */
export function leafHash(entry: Buffer): Buffer {
  return createHash('sha256').update(LEAF_PREFIX).update(entry).digest();
}

/** Hash of the node above two others (RFC 6962, 2.1). */
export function nodeHash(left: Buffer, right: Buffer): Buffer {
  return createHash('sha256').update(NODE_PREFIX).update(left).update(right).digest();
}

/** The greatest power of two that is less than `size` (2 or more): where RFC 6962 splits a tree. */
export function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}
