import { leafHash } from './tree-hash.js';

/** What an entry of the tree begins with, so that it is taken for nothing else. */
const ENTRY_HEADER = 'tenure-event/v1';

/**
 * The entry of an event in the tree (docs/AUDIT.md, "The tree"): three lines, its index among the events of the log that are
 * Tenure's own, from 0, and the event's own hash in hexadecimal. It holds nothing of the event itself.
 */
export function entryOf(index: number, hash: string): Buffer {
  return Buffer.from(`${ENTRY_HEADER}\n${index}\n${hash}\n`);
}

/** Hash of the leaf of an event (RFC 6962, 2.1). */
export function leafOf(index: number, hash: string): Buffer {
  return leafHash(entryOf(index, hash));
}

/** A bundle of entries that follow each other: each with its length before it, two bytes, the greater one first (C2SP tlog-tiles). */
export function bundleOf(entries: readonly Buffer[]): Buffer {
  return Buffer.concat(
    entries.flatMap((entry) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(entry.length);
      return [length, entry];
    }),
  );
}
