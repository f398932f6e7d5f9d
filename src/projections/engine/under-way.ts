import { z } from 'zod';
import { comparePositions, type Position } from '../../events/stored-event.js';

/**
 * An event that is applied, but for rows that are written a part at a time, in turn with the events after it. `now` is the
 * projection's clock (Unix ms) at the event, `after` the last key whose rows are written, `null` before the first.
 */
export const underWaySchema = z.strictObject({
  position: z.string(),
  id: z.string(),
  type: z.string(),
  stream: z.string(),
  revision: z.number(),
  now: z.number(),
  after: z.string().nullable(),
});
export type UnderWay = z.infer<typeof underWaySchema>;

/** What is under way as a column keeps it; `null` when nothing is. */
export const underWayColumn = z
  .string()
  .nullable()
  .transform((text) => (text === null ? [] : z.array(underWaySchema).parse(JSON.parse(text))));

export function underWayText(underWay: readonly UnderWay[]): string | null {
  return underWay.length === 0 ? null : JSON.stringify(underWay);
}

/**
 * Whether the rows that the event at `position` makes are all written. Those of events before it are too, but for parts of
 * what is under way.
 */
export function isWritten(
  { handled, within }: { readonly handled: Position | null; readonly within: readonly UnderWay[] },
  position: Position,
): boolean {
  return comparePositions(handled, position) >= 0 && within.every((each) => each.position !== position);
}
