import type { NewEvent } from '../events/stored-event.js';
import type { Metrics } from '../observability/metrics.js';
import { EventStoreError } from './errors.js';
import type { AppendResult, EventStore, ExpectedRevision } from './event-store.js';
import { EventStoreDecorator } from './event-store-decorator.js';

/** An event store whose appends are measured, by their outcome: `appended`, or the code of the error. */
export class MeteredEventStore extends EventStoreDecorator {
  constructor(
    store: EventStore,
    private readonly metrics: Metrics,
  ) {
    super(store);
  }

  override async append(
    stream: string,
    expected: ExpectedRevision,
    events: readonly NewEvent[],
  ): Promise<AppendResult> {
    const start = performance.now();
    try {
      const result = await super.append(stream, expected, events);
      this.#observe('appended', start);
      return result;
    } catch (error) {
      this.#observe(error instanceof EventStoreError ? error.code : 'failed', start);
      throw error;
    }
  }

  #observe(outcome: string, start: number): void {
    this.metrics.appendSeconds.cell({ outcome }).observe((performance.now() - start) / 1000);
  }
}
