import type { EventStore } from '../../event-store/event-store.js';
import { comparePositions, type Position, type StoredEvent } from '../../events/stored-event.js';

/** A stream, and how many of its events are read at once. */
export interface ReadStream {
  readonly store: Pick<EventStore, 'readPage'>;
  readonly stream: string;
  readonly size: number;
}

/** One stream of several that are read as one. It stands before an event, whose position it knows also while it holds none. */
export class StreamAhead {
  #held: readonly StoredEvent[];
  #at = 0;

  private constructor(
    private readonly source: ReadStream,
    /** Revision of the event that it stands before, and its position. */
    private revision: number,
    private next: Position,
    events: readonly StoredEvent[],
  ) {
    this.#held = events;
  }

  /** Stands at the first event behind `after`; `null` where there is none. */
  static async open(source: ReadStream, after: Position | null): Promise<StreamAhead | null> {
    const { store, stream, size } = source;
    const revision = after === null ? 0 : await firstBehind(source, after);
    const events = await store.readPage(stream, revision, size);
    const [first] = events;
    return first === undefined ? null : new StreamAhead(source, revision, first.position, events);
  }

  get position(): Position {
    return this.next;
  }

  /** How many events it holds. */
  get held(): number {
    return this.#held.length - this.#at;
  }

  /** Forgets the events that it holds: they are read again when they are asked for. */
  letGo(): void {
    this.#held = [];
    this.#at = 0;
  }

  /** Reads what comes next, unless it holds that. */
  async load(): Promise<void> {
    if (this.held > 0) return;
    const { store, stream, size } = this.source;
    this.#held = await store.readPage(stream, this.revision, size);
    this.#at = 0;
  }

  /** Goes past the event that it stands before, which it has loaded; gives that, and tells whether another one follows. */
  async take(): Promise<{ readonly event: StoredEvent; readonly hasMore: boolean }> {
    const event = this.#held[this.#at];
    if (event === undefined) throw new Error(`nothing of ${this.source.stream} is loaded`);
    const isLastOfStream = this.held === 1 && this.#held.length < this.source.size;
    this.#at += 1;
    this.revision += 1;
    if (!isLastOfStream) await this.load();
    const following = this.#held[this.#at];
    if (following !== undefined) this.next = following.position;
    return { event, hasMore: following !== undefined };
  }
}

/** Revision of the first event of a stream behind `after`, found in the logarithm of its length. */
async function firstBehind({ store, stream }: ReadStream, after: Position): Promise<number> {
  const isBehind = async (revision: number): Promise<boolean> => {
    const [event] = await store.readPage(stream, revision, 1);
    return event === undefined || comparePositions(event.position, after) > 0;
  };
  if (await isBehind(0)) return 0;
  let [low, high] = [0, 1]; // the one at `low` is not behind
  while (!(await isBehind(high))) [low, high] = [high, high * 2];
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (await isBehind(middle)) high = middle;
    else low = middle;
  }
  return high;
}
