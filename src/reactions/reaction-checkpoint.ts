import { z } from 'zod';
import type { Statements } from '../database/in-transaction.js';
import type { Position } from '../events/stored-event.js';

/** How far a reaction came: in the log, and in what was served (`served_entitlement.ordinal`). */
export interface ReactionCheckpoint {
  readonly position: Position | null;
  readonly ordinal: string;
  readonly revision: string;
}

const checkpointRow = z.object({
  position: z.string().nullable(),
  ordinal: z.string(),
  revision: z.string(),
});

/** The checkpoint of a reaction; `null` when it never began. */
export async function findReactionCheckpoint(
  database: Statements,
  reaction: string,
): Promise<ReactionCheckpoint | null> {
  const { rows } = await database.query(
    `select position::text, ordinal::text, revision::text from tenure.reaction_checkpoint where reaction = $1`,
    [reaction],
  );
  return rows[0] === undefined ? null : checkpointRow.parse(rows[0]);
}

/** Has a reaction begin at a place: nothing from before follows. One that began already stays where it is. */
export async function beginReaction(
  database: Statements,
  reaction: string,
  { position, ordinal }: Pick<ReactionCheckpoint, 'position' | 'ordinal'>,
): Promise<void> {
  await database.query(
    `insert into tenure.reaction_checkpoint (reaction, position, ordinal) values ($1, $2, $3) on conflict do nothing`,
    [reaction, position, ordinal],
  );
}

/** Moves a checkpoint that is still where it was read. `false`: another instance moved it, and nothing may be written. */
export async function moveReactionCheckpoint(
  database: Statements,
  reaction: string,
  from: ReactionCheckpoint,
  { position, ordinal }: Pick<ReactionCheckpoint, 'position' | 'ordinal'>,
): Promise<boolean> {
  const { rows } = await database.query(
    `update tenure.reaction_checkpoint set position = $3, ordinal = $4, revision = revision + 1, moved_at = clock_timestamp()
     where reaction = $1 and revision = $2 returning revision`,
    [reaction, from.revision, position, ordinal],
  );
  return rows.length === 1;
}

/** Seconds between two moves of a checkpoint of which nothing follows. */
const MOVED_ASLEEP_EVERY_S = 5;

/** The same for a reaction that wants nothing, now and then only: it costs next to nothing. */
export async function passBy(
  database: Statements,
  reaction: string,
  from: ReactionCheckpoint,
  { position, ordinal }: Pick<ReactionCheckpoint, 'position' | 'ordinal'>,
): Promise<void> {
  await database.query(
    `update tenure.reaction_checkpoint set position = $3, ordinal = $4, revision = revision + 1, moved_at = clock_timestamp()
     where reaction = $1 and revision = $2 and moved_at < clock_timestamp() - $5 * interval '1 second'`,
    [reaction, from.revision, position, ordinal, MOVED_ASLEEP_EVERY_S],
  );
}
