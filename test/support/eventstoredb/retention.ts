import { DELETED_STREAM_REVISION } from './records.js';

/** What a stream's metadata says about which of its events are still read. */
export interface Retention {
  /** The metadata as it was written, for a later soft delete to keep. */
  readonly written: Readonly<Record<string, unknown>>;
  readonly softDeleted: boolean;
  readonly truncateBefore: number;
  readonly maxCount: number;
  readonly maxAgeMs: number;
}

export const KEEP_ALL: Retention = {
  written: {},
  softDeleted: false,
  truncateBefore: 0,
  maxCount: Number.POSITIVE_INFINITY,
  maxAgeMs: Number.POSITIVE_INFINITY,
};

/** A metadata stream keeps its last event only. */
export const KEEP_LAST: Retention = { ...KEEP_ALL, maxCount: 1 };

/** Reads the data of a `$metadata` event. Data that is no JSON object says nothing. */
export function retentionOf(data: Uint8Array): Retention {
  const written = jsonObject(Buffer.from(data).toString('utf8'));
  const truncateBefore = positive(written.$tb) ?? 0;
  return {
    written,
    softDeleted: truncateBefore > Number.MAX_SAFE_INTEGER,
    truncateBefore,
    maxCount: positive(written.$maxCount) ?? Number.POSITIVE_INFINITY,
    maxAgeMs: (positive(written.$maxAge) ?? Number.POSITIVE_INFINITY) * 1_000,
  };
}

/** The metadata that deletes a stream softly, whatever else it said kept. */
export function softDeletedMetadata(before: Retention): string {
  const others = JSON.stringify({ ...before.written, $tb: 0 });
  return others.replace('"$tb":0', `"$tb":${DELETED_STREAM_REVISION}`);
}

/** The metadata that lets a softly deleted stream go on at `revision`. */
export function revivedMetadata(before: Retention, revision: number): string {
  return JSON.stringify({ ...before.written, $tb: revision });
}

function jsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 ? value : undefined;
}
