import type { EventStore, StoredEvent } from '../../event-store/event-store.js';
import type { EventSkippedData } from '../../events/projection.events.js';
import { parseEvent } from '../../events/recorded-event.js';
import { projectionStream } from '../../events/stream-names.js';

/** The log as a projection folds it: its ordered pages, and which of their events it may go past. */
export interface FoldedLog extends Pick<EventStore, 'readAll'> {
  /** Whether ops let the projection go past this event. Asked only where it cannot be folded. */
  isSkipped(event: StoredEvent): Promise<boolean>;
}

/** The log of `store` for a projection. */
export function foldedLog(
  store: Pick<EventStore, 'read' | 'readAll'>,
  streamPrefix: string,
  projection: string,
): FoldedLog {
  return {
    readAll: (after, limit) => store.readAll(after, limit),
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
