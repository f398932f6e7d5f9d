import type { AppendResult, EventStore, ExpectedRevision } from '../../event-store/event-store.js';
import { EventStoreDecorator } from '../../event-store/event-store-decorator.js';
import type { NewEvent } from '../../events/stored-event.js';
import type { LogWatch } from './log-watch.js';

/** An event store that is appended to only while its log is the known one. */
export class GuardedEventStore extends EventStoreDecorator {
  constructor(
    store: EventStore,
    private readonly watch: Pick<LogWatch, 'mayWrite' | 'handled' | 'appended'>,
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
    const result = await super.append(stream, expected, events);
    await this.watch.appended(result.position, handled);
    return result;
  }
}
