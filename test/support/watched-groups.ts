import type { EventStore } from '../../src/event-store/event-store.js';
import { EventStoreDecorator } from '../../src/event-store/event-store-decorator.js';
import type { Position } from '../../src/events/stored-event.js';

/** What a test does before events are given that were asked for apart from one another; `nth` counts such questions from 0. */
export type BeforeGiving = (nth: number, positions: readonly Position[]) => Promise<void>;

/** A store that knows what folds by groups asked of it, and may be held up there. */
export class WatchedGroups extends EventStoreDecorator {
  /** Positions of every question, in order. */
  readonly asked: (readonly Position[])[] = [];

  constructor(
    store: EventStore,
    private readonly before: BeforeGiving = async () => undefined,
  ) {
    super(store);
  }

  override get eventsAt(): EventStore['eventsAt'] {
    const eventsAt = super.eventsAt;
    if (eventsAt === undefined) return undefined;
    return async (positions) => {
      this.asked.push(positions);
      await this.before(this.asked.length - 1, positions);
      return eventsAt(positions);
    };
  }
}

/** Where whoever comes to the `nth` question waits until the test goes on. */
export class Gate {
  #open: () => void = () => undefined;
  readonly #opened = new Promise<void>((resolve) => {
    this.#open = resolve;
  });

  constructor(private readonly nth: number) {}

  readonly before: BeforeGiving = async (nth) => {
    if (nth >= this.nth) await this.#opened;
  };

  open(): void {
    this.#open();
  }
}
