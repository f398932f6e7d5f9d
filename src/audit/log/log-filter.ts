import { z } from 'zod';
import { comparePositions, type Position, type StoredEvent } from '../../events/stored-event.js';

/** Which events are asked for; `null` asks for all. Times are Unix ms of `recordedAt`. Both ends are included. */
export interface LogFilter {
  readonly from: Position | null;
  readonly to: Position | null;
  readonly stripeEventId: string | null;
  readonly since: number | null;
  readonly until: number | null;
}

/** What is looked at of an event's metadata, of whatever schema version. */
const looked = z.looseObject({ stripeEventId: z.string().nullable(), recordedAt: z.string() });

/** Whether an event is asked for. Metadata is read only where something of it is asked. */
export function isAsked(
  { position, metadata }: Pick<StoredEvent, 'position' | 'metadata'>,
  { from, to, stripeEventId, since, until }: LogFilter,
): boolean {
  if (from !== null && comparePositions(position, from) < 0) return false;
  if (to !== null && comparePositions(position, to) > 0) return false;
  if (stripeEventId === null && since === null && until === null) return true;
  const told = looked.parse(JSON.parse(metadata));
  if (stripeEventId !== null && told.stripeEventId !== stripeEventId) return false;
  const recordedAt = Date.parse(told.recordedAt);
  return (since === null || recordedAt >= since) && (until === null || recordedAt <= until);
}
