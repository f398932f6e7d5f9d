/** Position in the global order of the log: an opaque decimal string that compares as an integer. */
export type Position = string;

/** An event to append. `id` is a UUID that fixes the content; `data` and `metadata` are canonical JSON texts. */
export interface NewEvent {
  readonly id: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
}

/** An event as the log holds it. `revision` counts from 0 within its stream. */
export interface StoredEvent extends NewEvent {
  readonly stream: string;
  readonly revision: number;
  readonly position: Position;
}

/** Compares two positions as integers: negative, zero or positive. `null` is before every position. */
export function comparePositions(a: Position | null, b: Position | null): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}
