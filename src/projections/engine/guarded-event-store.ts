import type { AppendResult, EventStore, ExpectedRevision, Page } from '../../event-store/event-store.js';
import type { NewEvent, Position, StoredEvent } from '../../events/stored-event.js';
import type { LogWatch } from './log-watch.js';

/** A log that is appended to only while it is the known one. */
export class GuardedEventStore implements EventStore {
  constructor(
    private readonly store: EventStore,
    private readonly watch: Pick<LogWatch, 'mayWrite' | 'appended'>,
  ) {}

  /** @throws LogReplacedError, also where the append landed in another log, and what the store throws */
  async append(
    stream: string,
    expected: ExpectedRevision,
    events: readonly NewEvent[],
  ): Promise<AppendResult> {
    await this.watch.mayWrite();
    const result = await this.store.append(stream, expected, events);
    await this.watch.appended(result.position);
    return result;
  }

  read(stream: string, from: number): Promise<readonly StoredEvent[]> {
    return this.store.read(stream, from);
  }
  readPage(stream: string, from: number, limit: number): Promise<readonly StoredEvent[]> {
    return this.store.readPage(stream, from, limit);
  }
  readAll(after: Position | null, limit: number): Promise<Page> {
    return this.store.readAll(after, limit);
  }
  head(): Promise<Position | null> {
    return this.store.head();
  }
  eventIdAt(position: Position): Promise<string | null> {
    return this.store.eventIdAt(position);
  }
  onAppend(ring: () => void): () => void {
    return this.store.onAppend(ring);
  }
  close(): Promise<void> {
    return this.store.close();
  }
}
