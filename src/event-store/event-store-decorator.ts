import type { NewEvent, Position, StoredEvent } from '../events/stored-event.js';
import type { AppendResult, EventStore, ExpectedRevision, Page, PageAfterEvent } from './event-store.js';
import type { KeysAnswer } from './stream-keys.js';

/** An event store in front of another one: a subclass overrides the calls that it is about, every other call passes through. */
export abstract class EventStoreDecorator implements EventStore {
  constructor(protected readonly store: EventStore) {}

  append(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): Promise<AppendResult> {
    return this.store.append(stream, expected, events);
  }
  read(stream: string, from: number): Promise<readonly StoredEvent[]> {
    return this.store.read(stream, from);
  }
  readPage(stream: string, from: number, limit: number): Promise<readonly StoredEvent[]> {
    return this.store.readPage(stream, from, limit);
  }
  readLast(stream: string): Promise<StoredEvent | null> {
    return this.store.readLast(stream);
  }
  readKeys(stream: string, types: ReadonlySet<string>): Promise<KeysAnswer> {
    return this.store.readKeys(stream, types);
  }
  readAll(after: Position | null, limit: number): Promise<Page> {
    return this.store.readAll(after, limit);
  }
  readAfterEvent(position: Position, limit: number): Promise<PageAfterEvent> {
    return this.store.readAfterEvent(position, limit);
  }
  head(): Promise<Position | null> {
    return this.store.head();
  }
  eventIdAt(position: Position): Promise<string | null> {
    return this.store.eventIdAt(position);
  }
  eventAt(position: Position): Promise<StoredEvent | null> {
    return this.store.eventAt(position);
  }
  get eventsAt(): EventStore['eventsAt'] {
    return this.store.eventsAt?.bind(this.store);
  }
  onAppend(notify: () => void): () => void {
    return this.store.onAppend(notify);
  }
  close(): Promise<void> {
    return this.store.close();
  }
}
