import type { EventStore } from '../event-store/event-store.js';
import { streamPages } from '../event-store/stream-pages.js';
import { parseEvent } from '../events/event-envelope.js';
import { catalogStream, erasuresStream } from '../events/stream-names.js';
import type { KeptUserIds } from '../events/user-id.js';
import type { LoggedErasure } from './pairs.repository.js';

/** How the user ids of a log are kept, as its first catalogue says; `null` while it has none. */
export async function userIdsOfLog(
  store: Pick<EventStore, 'readPage'>,
  streamPrefix: string,
): Promise<KeptUserIds | null> {
  const [first] = await store.readPage(catalogStream(streamPrefix), 0, 1);
  if (first === undefined) return null;
  const event = parseEvent(first);
  if (event.type !== 'PlanCatalogPublished') return 'as_they_are';
  return event.data.pseudonyms === true ? 'pseudonyms' : 'as_they_are';
}

/** The last erasure of each user who ever was erased, and whether the user was taken in again since. */
export async function loggedErasures(
  store: Pick<EventStore, 'readPage'>,
  streamPrefix: string,
): Promise<readonly LoggedErasure[]> {
  const last = new Map<string, LoggedErasure>();
  for await (const page of streamPages(store, erasuresStream(streamPrefix), 0)) {
    for (const stored of page) {
      const event = parseEvent(stored);
      const at = Date.parse(event.metadata.recordedAt);
      if (event.type === 'UserErased') {
        const { user: hash } = event.data;
        last.set(hash, { hash, erasedAt: at, readmittedAt: null });
      }
      if (event.type !== 'UserReadmitted') continue;
      const erasure = last.get(event.data.user);
      if (erasure !== undefined) last.set(erasure.hash, { ...erasure, readmittedAt: at });
    }
  }
  return [...last.values()];
}
