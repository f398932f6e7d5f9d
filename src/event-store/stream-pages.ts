import type { StoredEvent } from '../events/stored-event.js';
import type { EventStore } from './event-store.js';

/** Events of one read of a longer stream. */
const PAGE = 500;

/** The events of a stream from a revision on, a page at a time: others have the process, and the store, in between. */
export async function* streamPages(
  store: Pick<EventStore, 'readPage'>,
  stream: string,
  from: number,
): AsyncGenerator<readonly StoredEvent[], void> {
  for (let next = from; ; next += PAGE) {
    const page = await store.readPage(stream, next, PAGE);
    if (page.length > 0) yield page;
    if (page.length < PAGE) return;
  }
}

/** All events of a stream from a revision on. */
export async function wholeStream(
  store: Pick<EventStore, 'readPage'>,
  stream: string,
  from: number,
): Promise<readonly StoredEvent[]> {
  const events: StoredEvent[] = [];
  for await (const page of streamPages(store, stream, from)) events.push(...page);
  return events;
}
