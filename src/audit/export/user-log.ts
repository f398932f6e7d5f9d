import type { Pool } from 'pg';
import type { EventStore } from '../../event-store/event-store.js';
import { parseEvent } from '../../events/event-envelope.js';
import { comparePositions, type StoredEvent } from '../../events/stored-event.js';
import { catalogStream, projectionStream, streamName } from '../../events/stream-names.js';
import { ENTITLEMENTS } from '../../projections/entitlements/entitlements.projector.js';
import { readUserStreams } from '../as-of/user-streams.reader.js';
import { mergedStreams } from '../log/merged-streams.js';
import { streamsOfUser } from '../log/user-log-streams.js';

export interface UserLogOptions {
  readonly pool: Pool;
  readonly store: Pick<EventStore, 'read' | 'readPage'>;
  /** The setting `STREAM_PREFIX`. */
  readonly streamPrefix: string;
}

/** Events in the log's order, and of which streams they are all. */
export interface UserLog {
  readonly events: readonly StoredEvent[];
  readonly wholeStreams: ReadonlySet<string>;
}

/**
 * Every event that what a user could do rests on: the streams that tell of the user or may have decided whose something is,
 * the published catalogues, and what operators let the fold go past on one of these streams.
 */
export async function readUserLog(
  { pool, store, streamPrefix }: UserLogOptions,
  userId: string,
): Promise<UserLog> {
  const [telling, related] = await Promise.all([
    streamsOfUser(pool, userId, streamPrefix),
    readUserStreams(pool, userId, null),
  ]);
  const wholeStreams = new Set([
    catalogStream(streamPrefix),
    ...telling,
    ...(related?.streams ?? []).map((subject) => streamName(streamPrefix, subject)),
  ]);
  const events = await store.read(projectionStream(streamPrefix, ENTITLEMENTS), 0);
  const skips = events.filter((stored) => {
    const event = parseEvent(stored);
    return event.type === 'EventSkipped' && wholeStreams.has(event.data.skipped.stream);
  });
  const told: StoredEvent[] = [...skips];
  for await (const event of mergedStreams(store, [...wholeStreams], null)) told.push(event);
  return { events: inOrder(told), wholeStreams };
}

/** Events in the order of the log. */
export function inOrder(events: readonly StoredEvent[]): readonly StoredEvent[] {
  return [...events].sort((a, b) => comparePositions(a.position, b.position));
}
