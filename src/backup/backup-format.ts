import { z } from 'zod';
import type { StoredEvent } from '../events/stored-event.js';

/*
 * The file: a header of HEADER_BYTES, one line of JSON filled up with spaces, which can be read with `head -1`; then, in
 * gzip (RFC 1952), lines of UTF-8 that end with a line feed each:
 *
 *   log {…}                                                   about the log and the tables, once
 *   row TABLE {…}                                             a row of a table, as PostgreSQL's row_to_json
 *   event [position, stream, revision, id, type, data, metadata]   an event, in the order of the log; data and metadata are
 *                                                             the very texts that were hashed
 *
 * The header tells how many there are of each and the SHA-256 of all lines: it is written last, over spaces.
 */
export const HEADER_BYTES = 1_024;
export const FORMAT = 'tenure backup';
export const FORMAT_VERSION = 1;

const count = z.int().nonnegative();
export const headerSchema = z.object({
  format: z.literal(FORMAT),
  version: z.literal(FORMAT_VERSION),
  /** Which log it is of, as `log_identity` names it. */
  origin: z.string(),
  rows: count,
  events: count,
  /** SHA-256 of the lines, in hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** What the header of a backup tells. */
export type BackupHeader = z.infer<typeof headerSchema>;

export const aboutSchema = z.object({
  origin: z.string(),
  streamPrefix: z.string(),
  /** RFC 3339. */
  takenAt: z.string(),
  /** Version of the release that took it. */
  release: z.string(),
  /** Columns of the rows, by table. */
  columns: z.record(z.string(), z.array(z.string())),
});

/** What a backup says of the log and of the tables that it is of. */
export type BackupAbout = z.infer<typeof aboutSchema>;

/** A line of a backup. The JSON of a row stays text: its numbers may be beyond what JavaScript can count. */
export type BackupLine =
  | { readonly kind: 'log'; readonly about: BackupAbout }
  | { readonly kind: 'row'; readonly table: string; readonly json: string }
  | { readonly kind: 'event'; readonly event: StoredEvent };

export const eventSchema = z
  .tuple([
    z.string().regex(/^\d{1,20}$/),
    z.string(),
    z.int().nonnegative(),
    z.string(),
    z.string(),
    z.string(),
    z.string(),
  ])
  .transform(
    ([position, stream, revision, id, type, data, metadata]): StoredEvent => ({
      position,
      stream,
      revision,
      id,
      type,
      data,
      metadata,
    }),
  );
