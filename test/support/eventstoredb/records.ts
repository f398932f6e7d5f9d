/** The records of the log and the bytes they take. */

/** What an append brings. `id` is a lower-case UUID. */
export interface ProposedEvent {
  readonly id: string;
  readonly type: string;
  readonly contentType: string;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

/** One record. `ordinal` is its dense place in `$all`; `position` the byte offset the client sees (commit equals prepare). */
export interface LogRecord extends ProposedEvent {
  readonly kind: 'event' | 'tombstone';
  readonly ordinal: number;
  readonly position: number;
  readonly stream: string;
  readonly revision: number;
  readonly createdMs: number;
}

/** Revision a stream must have: that of its last event, or a word. */
export type Expected = number | 'any' | 'no_stream' | 'stream_exists';

export const METADATA_TYPE = '$metadata';
export const LINK_TYPE = '$>';
export const TOMBSTONE_TYPE = '$streamDeleted';

/** What the server writes as the revision of a tombstone and as `$tb` of a soft delete (the largest 64-bit integer). */
export const DELETED_STREAM_REVISION = '9223372036854775807';

/** Bytes of one record beside its names and its content, and of one append beside its records: near what was measured. */
const RECORD_BYTES = 91;
export const APPEND_BYTES = 54;

/** Bytes that `event` takes in the log of `stream`. */
export function recordBytes(stream: string, event: ProposedEvent): number {
  return (
    RECORD_BYTES +
    Buffer.byteLength(stream) +
    Buffer.byteLength(event.type) +
    event.data.length +
    event.metadata.length
  );
}

/** An event whose data is the JSON text `json`. */
export function jsonProposal(id: string, type: string, json: string): ProposedEvent {
  return { id, type, contentType: 'application/json', data: Buffer.from(json), metadata: new Uint8Array() };
}
