import type { EventStore } from '../../src/event-store/event-store.js';
import { EventStoreDbEventStore } from '../../src/event-store/eventstoredb/eventstoredb-event-store.js';
import type { Position } from '../../src/events/stored-event.js';
import type { LogUnderTest, SampleEvent } from './log-under-test.js';

/** Tenure's adapter, used through the port, with the limits of production. */
export class PortLog implements LogUnderTest {
  readonly #store: EventStore;

  constructor(url: string, streamPrefix: string) {
    this.#store = new EventStoreDbEventStore({
      url,
      streamPrefix,
      onFault: (fault) => process.stderr.write(`${fault}\n`),
    });
  }

  async append(stream: string, event: SampleEvent): Promise<void> {
    await this.#store.append(stream, 'no_stream', [event]);
  }

  async countAfter(after: Position, prefix: string, page: number): Promise<number> {
    let count = 0;
    for (let from: Position | null = after; ; ) {
      const { events, scanned } = await this.#store.readAll(from, page);
      for (const { stream } of events) if (stream.startsWith(prefix)) count += 1;
      if (scanned === from) return count;
      from = scanned;
    }
  }
}
