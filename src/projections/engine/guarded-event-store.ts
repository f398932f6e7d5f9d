import { EventStoreError } from '../../event-store/errors.js';
import type { AppendResult, EventStore, ExpectedRevision } from '../../event-store/event-store.js';
import { EventStoreDecorator } from '../../event-store/event-store-decorator.js';
import type { NewEvent } from '../../events/stored-event.js';
import type { Metrics } from '../../observability/metrics.js';
import type { LogWatch } from './log-watch.js';

/**
 * The event store that a service appends to: only while its log is the known one, and each append measured by its outcome
 * (`appended`, or the code of the error).
 */
export class GuardedEventStore extends EventStoreDecorator {
  constructor(
    store: EventStore,
    private readonly watch: Pick<LogWatch, 'mayWrite' | 'handled' | 'appended'>,
    private readonly metrics: Pick<Metrics, 'appendSeconds'>,
  ) {
    super(store);
  }

  /** @throws LogReplacedError, also where the append landed in another log, and what the store throws */
  override async append(
    stream: string,
    expected: ExpectedRevision,
    events: readonly NewEvent[],
  ): Promise<AppendResult> {
    await this.watch.mayWrite();
    const { handled } = this.watch;
    const result = await this.#measured(this.store.append(stream, expected, events));
    await this.watch.appended(result.position, handled);
    return result;
  }

  async #measured(append: Promise<AppendResult>): Promise<AppendResult> {
    const start = performance.now();
    const observe = (outcome: string): void =>
      this.metrics.appendSeconds.cell({ outcome }).observe((performance.now() - start) / 1_000);
    try {
      const result = await append;
      observe('appended');
      return result;
    } catch (error) {
      observe(error instanceof EventStoreError ? error.code : 'failed');
      throw error;
    }
  }
}
