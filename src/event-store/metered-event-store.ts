import { performance } from 'node:perf_hooks';
import type { NewEvent, Position, StoredEvent } from '../events/stored-event.js';
import type { Metrics } from '../observability/metrics.js';
import { EventStoreError } from './errors.js';
import type { AppendResult, EventStore, ExpectedRevision, Page } from './event-store.js';

/** An event store whose appends are measured; everything else passes through. */
export class MeteredEventStore implements EventStore {
  constructor(
    private readonly store: EventStore,
    private readonly metrics: Metrics,
  ) {}

  async append(
    stream: string,
    expected: ExpectedRevision,
    events: readonly NewEvent[],
  ): Promise<AppendResult> {
    const start = performance.now();
    try {
      const result = await this.store.append(stream, expected, events);
      this.observe('appended', start);
      return result;
    } catch (error) {
      this.observe(error instanceof EventStoreError ? error.code : 'failed', start);
      throw error;
    }
  }

  private observe(outcome: string, start: number): void {
    this.metrics.appendSeconds.cell({ outcome }).observe((performance.now() - start) / 1000);
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
