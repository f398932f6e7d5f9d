import type { EventStore, Page } from '../../event-store/event-store.js';
import { parseEvent } from '../../events/event-envelope.js';
import type { EventSkippedData } from '../../events/projection.events.js';
import type { Position, StoredEvent } from '../../events/stored-event.js';
import { projectionStream } from '../../events/stream-names.js';

/** The log as a projection folds it: its ordered pages, and which of their events it may go past. */
export interface ProjectionSource extends Pick<EventStore, 'read' | 'readAll'> {
  /** Whether ops let the projection go past this event. Asked only where it cannot be folded. */
  isSkipped(event: Pick<StoredEvent, 'id'>): Promise<boolean>;
  /** Whether the log holds the event of a checkpoint where it was applied: see `holdsEventOf`. */
  holds(checkpoint: AppliedUpTo): Promise<boolean>;
  /** The page after an event that was applied, and whether the log `holds` it. */
  readOn(checkpoint: LastApplied, limit: number): Promise<KnownPage>;
}

/** A page, and whether the log is the one that it is to go on from. */
export interface KnownPage extends Page {
  readonly isKnown: boolean;
}

/** The last event that a fold applied; `eventId` is `null` where it was applied before ids were kept. */
export interface AppliedUpTo {
  readonly handled: Position | null;
  readonly eventId: string | null;
}

/** As `AppliedUpTo`, of a fold that applied something. */
export interface LastApplied extends AppliedUpTo {
  readonly handled: Position;
}

/**
 * Whether a log is the one that a fold was made from, as far as its last event shows: one that was lost, restored older or
 * exchanged has none or another one there (DESIGN 12, "A log that is not the one we know").
 */
export async function holdsEventOf(
  store: Pick<EventStore, 'eventIdAt'>,
  { handled, eventId }: AppliedUpTo,
): Promise<boolean> {
  if (handled === null) return true;
  return isEventOf(eventId, await store.eventIdAt(handled));
}

function isEventOf(eventId: string | null, found: string | null): boolean {
  return found !== null && (eventId === null || found === eventId);
}

/** `readOn` of a source that asks for page and event each by itself. */
export async function readBoth(
  source: Pick<ProjectionSource, 'readAll' | 'holds'>,
  checkpoint: LastApplied,
  limit: number,
): Promise<KnownPage> {
  const [page, isKnown] = await Promise.all([
    source.readAll(checkpoint.handled, limit),
    source.holds(checkpoint),
  ]);
  return { ...page, isKnown };
}

/** What a projection reads of a store. */
export type ReadableLog = Pick<EventStore, 'read' | 'readAll' | 'readAfterEvent' | 'eventIdAt'>;

/** The log of `store` for a projection. */
export function projectionSource(
  store: ReadableLog,
  streamPrefix: string,
  projection: string,
): ProjectionSource {
  return {
    read: (stream, from) => store.read(stream, from),
    readAll: (after, limit) => store.readAll(after, limit),
    holds: (checkpoint) => holdsEventOf(store, checkpoint),
    readOn: async ({ handled, eventId }, limit) => {
      const { eventId: found, ...page } = await store.readAfterEvent(handled, limit);
      return { ...page, isKnown: isEventOf(eventId, found) };
    },
    isSkipped: async ({ id }) => {
      const skips = await readSkips(store, streamPrefix, projection);
      return skips.some(({ skipped }) => skipped.id === id);
    },
  };
}

/** Every skip of a projection, oldest first. @throws what `parseEvent` throws */
export async function readSkips(
  store: Pick<EventStore, 'read'>,
  streamPrefix: string,
  projection: string,
): Promise<readonly EventSkippedData[]> {
  const stored = await store.read(projectionStream(streamPrefix, projection), 0);
  return stored.map(parseEvent).flatMap((event) => (event.type === 'EventSkipped' ? [event.data] : []));
}
