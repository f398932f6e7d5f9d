import { parse as uuidBytes, stringify as uuidText } from 'uuid';
import { MalformedProofError } from './errors.js';
import { HASH_BYTES, leafHash } from './tree-hash.js';

/** What an entry of the tree begins with, so that it is taken for nothing else. */
const ENTRY_HEADER = 'tenure-event/v1';
const ID_BYTES = 16;

/** What the tree holds of an event: its id, and its own hash in hexadecimal. */
export interface EventMark {
  readonly id: string;
  readonly hash: string;
}

/** Length of a mark as it is kept, in bytes. */
export const MARK_BYTES = ID_BYTES + HASH_BYTES;

/**
 * The entry of an event in the tree (docs/AUDIT.md, "The tree"): four lines, of which the second is its index among the events
 * of the log that are Tenure's own, from 0. It holds nothing of the event itself. The id stands beside the hash because it
 * is made of more than what the hash covers.
 */
export function entryOf(index: number, mark: EventMark): Buffer {
  return Buffer.from(entryText(index, mark));
}

/** Hash of the leaf of an event (RFC 6962, 2.1). */
export function leafOf(index: number, mark: EventMark): Buffer {
  return leafHash(entryText(index, mark));
}

function entryText(index: number, { id, hash }: EventMark): string {
  return `${ENTRY_HEADER}\n${index}\n${id}\n${hash}\n`;
}

/** A mark as it is kept: the 16 bytes of the id and the 32 of the hash. */
export function packMark({ id, hash }: EventMark): Buffer {
  return Buffer.concat([uuidBytes(id), Buffer.from(hash, 'hex')]);
}

/** Marks that are kept one behind the other. */
export function unpackMarks(bytes: Buffer): readonly EventMark[] {
  return Array.from({ length: Math.floor(bytes.length / MARK_BYTES) }, (_, at) => {
    const mark = bytes.subarray(at * MARK_BYTES, (at + 1) * MARK_BYTES);
    return { id: uuidText(mark.subarray(0, ID_BYTES)), hash: mark.subarray(ID_BYTES).toString('hex') };
  });
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

const ENTRY = /^tenure-event\/v1\n(?:0|[1-9]\d*)\n(?<id>[0-9a-f-]{36})\n(?<hash>[0-9a-f]{64})\n$/;

/** The marks of the entries of a bundle. @throws MalformedProofError where it is none of such entries */
export function parseBundle(bytes: Buffer): readonly EventMark[] {
  const marks: EventMark[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 2 <= bytes.length ? at + 2 + bytes.readUInt16BE(at) : Number.POSITIVE_INFINITY;
    const { id, hash } =
      end > bytes.length ? {} : (ENTRY.exec(bytes.toString('latin1', at + 2, end))?.groups ?? {});
    if (id === undefined || hash === undefined) throw new MalformedProofError('this is no bundle of entries');
    marks.push({ id, hash });
    at = end;
  }
  return marks;
}
