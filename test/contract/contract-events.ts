import { randomUUID } from 'node:crypto';
import type { EventStore, LogTarget } from '../../src/event-store/event-store.js';
import type { NewEvent, Position, StoredEvent } from '../../src/events/stored-event.js';

/** Two stores on one log, as of two processes, and the way to end both and what they stand on. */
export interface OpenStores {
  readonly store: LogTarget;
  readonly secondStore: LogTarget;
  close(): Promise<void>;
}

/** A name no other test uses. */
export function newStream(): string {
  return `tenure.contract-${randomUUID()}`;
}

/** An event of its own, with what `given` says. */
export function newEvent(given: Partial<NewEvent> = {}): NewEvent {
  const id = given.id ?? randomUUID();
  return {
    id,
    type: 'SomethingHappened',
    data: `{"about":"${id}"}`,
    metadata: '{"actor":"contract"}',
    ...given,
  };
}

export function newEvents(count: number): NewEvent[] {
  return Array.from({ length: count }, () => newEvent());
}

/** Everything after `after`, by pages of `limit`, until a page ends where it began. */
export async function readToEnd(
  store: EventStore,
  after: Position | null,
  limit: number,
): Promise<StoredEvent[]> {
  const all: StoredEvent[] = [];
  for (let from = after; ; ) {
    const page = await store.readAll(from, limit);
    all.push(...page.events);
    if (page.events.length === 0 && page.scanned === from) return all;
    from = page.scanned;
  }
}

export function idsOf(events: readonly NewEvent[]): string[] {
  return events.map((event) => event.id);
}
