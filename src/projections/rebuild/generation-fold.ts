import { z } from 'zod';
import type { Position } from '../../events/stored-event.js';
import { CHECKPOINT_COLUMNS, type Checkpoint, parseCheckpoint } from '../engine/checkpoint.js';

/** How far a generation came, and by what code. */
export interface GenerationFold {
  readonly checkpoint: Checkpoint;
  /** Version of the code that began it, and of the code that folded its last events. */
  readonly builtBy: string;
  readonly foldedBy: string;
  /** Last event before the first one folded by other code than `builtBy`; `null` while there is none. */
  readonly mixedAfter: Position | null;
  /** Events folded so far. */
  readonly events: number;
}

/** Columns of a checkpoint with the codes that made it, for `parseFold`. */
export const FOLD_COLUMNS = `${CHECKPOINT_COLUMNS}, code_version, built_by, mixed_after::text`;

const foldRow = z.object({
  code_version: z.string(),
  built_by: z.string(),
  mixed_after: z.string().nullable(),
  events: z.coerce.number(),
});

/** Reads a database row of `FOLD_COLUMNS`. */
export function parseFold(row: unknown): GenerationFold {
  const { code_version: foldedBy, built_by: builtBy, mixed_after: mixedAfter, events } = foldRow.parse(row);
  return { checkpoint: parseCheckpoint(row), builtBy, foldedBy, mixedAfter, events };
}
