import { z } from 'zod';
import { comparePositions, type Position } from '../../events/stored-event.js';

/**
 * An event that is applied, but for rows that are written a part at a time, in turn with the events after it. `now` is the
 * logical time (Unix ms) at the event, `after` the last key whose rows are written, `null` before the first. Checkpoints
 * keep it as JSON under these names.
 */
export const partialEventSchema = z.strictObject({
  position: z.string(),
  id: z.string(),
  type: z.string(),
  stream: z.string(),
  revision: z.number(),
  now: z.number(),
  after: z.string().nullable(),
});
export type PartialEvent = z.infer<typeof partialEventSchema>;

/** The partial progress of a checkpoint as its column keeps it; `null` when every event is written whole. */
export const partialProgressColumn = z
  .string()
  .nullable()
  .transform((text) => (text === null ? [] : z.array(partialEventSchema).parse(JSON.parse(text))));

/** The column's text of `partialProgressColumn`. */
export function partialProgressText(partial: readonly PartialEvent[]): string | null {
  return partial.length === 0 ? null : JSON.stringify(partial);
}

/**
 * Whether the rows that the event at `position` makes are all written. Those of events before it are too, but for those that
 * `partialProgress` names.
 */
export function isWritten(
  {
    handled,
    partialProgress,
  }: { readonly handled: Position | null; readonly partialProgress: readonly PartialEvent[] },
  position: Position,
): boolean {
  return (
    comparePositions(handled, position) >= 0 && partialProgress.every((each) => each.position !== position)
  );
}
