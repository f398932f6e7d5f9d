import type { EventStore } from '../../event-store/event-store.js';
import { comparePositions, type Position, type StoredEvent } from '../../events/stored-event.js';
import { mergedStreams } from './merged-streams.js';

/** Events of one read of the log. */
const PAGE = 500;

/** Events in the log's order, some at a time. */
export type EventPages = AsyncIterable<readonly StoredEvent[]>;

type Reads = Pick<EventStore, 'readPage' | 'readAll'>;

/** The whole log behind `after`, page by page, until it is read up to `to`; while a page is used the next one is read. */
export async function* wholeLogPages(
  store: Reads,
  after: Position | null,
  to: Position,
): AsyncGenerator<readonly StoredEvent[], void> {
  if (comparePositions(after, to) >= 0) return;
  let next = store.readAll(after, PAGE);
  for (let behind = after; ; ) {
    const { events, scanned } = await next;
    const isLast = comparePositions(scanned, to) >= 0 || scanned === behind;
    behind = scanned;
    if (!isLast) {
      next = store.readAll(scanned, PAGE);
      next.catch(() => undefined); // told when its turn comes
    }
    yield events;
    if (isLast) return;
  }
}

/** An event, and the pages of what follows it. */
export async function* startingWith(
  first: StoredEvent,
  pages: EventPages,
): AsyncGenerator<readonly StoredEvent[], void> {
  yield [first];
  yield* pages;
}

/** Streams as one behind `after`, in the log's order, page by page. */
export async function* streamsPages(
  store: Reads,
  streams: readonly string[],
  after: Position | null,
): AsyncGenerator<readonly StoredEvent[], void> {
  let events: StoredEvent[] = [];
  for await (const event of mergedStreams(store, streams, after)) {
    events.push(event);
    if (events.length < PAGE) continue;
    yield events;
    events = [];
  }
  if (events.length > 0) yield events;
}
