import type { EventStore } from '../../event-store/event-store.js';
import { comparePositions, type Position, type StoredEvent } from '../../events/stored-event.js';

/** Events of one read of the log. */
const PAGE = 500;
/** Events in memory of all the streams that are read as one. */
const MERGED = 1_000;

/** Events in the log's order, some at a time. */
export type EventPages = AsyncIterable<readonly StoredEvent[]>;

type Reads = Pick<EventStore, 'readPage' | 'readAll'>;

/** The whole log behind `after`, page by page, until it is read up to `to`; while a page is used the next one is read. */
export async function* wholeLogPages(
  store: Reads,
  after: Position | null,
  to: Position,
): AsyncGenerator<readonly StoredEvent[], void> {
  if (comparePositions(after, to) >= 0) return;
  let next = store.readAll(after, PAGE);
  for (let behind = after; ; ) {
    const { events, scanned } = await next;
    const isLast = comparePositions(scanned, to) >= 0 || scanned === behind;
    behind = scanned;
    if (!isLast) {
      next = store.readAll(scanned, PAGE);
      next.catch(() => undefined); // told when its turn comes
    }
    yield events;
    if (isLast) return;
  }
}

/** An event, and the pages of what follows it. */
export async function* startingWith(
  first: StoredEvent,
  pages: EventPages,
): AsyncGenerator<readonly StoredEvent[], void> {
  yield [first];
  yield* pages;
}

/** Streams as one behind `after`, in the log's order, page by page. What is in memory does not grow with their length. */
export async function* streamsPages(
  store: Reads,
  streams: readonly string[],
  after: Position | null,
): AsyncGenerator<readonly StoredEvent[], void> {
  const size = Math.max(1, Math.floor(MERGED / Math.max(1, streams.length)));
  const open: StreamAhead[] = [];
  for (const stream of streams) open.push(await StreamAhead.open(store, { stream, size, after }));
  let events: StoredEvent[] = [];
  for (;;) {
    const first = earliest(open);
    if (first?.next === undefined) break;
    events.push(first.next);
    await first.advance();
    if (events.length < PAGE) continue;
    yield events;
    events = [];
  }
  if (events.length > 0) yield events;
}

/** The stream of which the next event stands first in the log. */
function earliest(open: readonly StreamAhead[]): StreamAhead | null {
  let first: StreamAhead | null = null;
  for (const each of open) {
    if (each.next === undefined) continue;
    if (first?.next === undefined || comparePositions(each.next.position, first.next.position) < 0) {
      first = each;
    }
  }
  return first;
}

/** One stream of several, of which a page is in memory. */
class StreamAhead {
  #page: readonly StoredEvent[] = [];
  #at = 0;
  #read = 0;

  private constructor(
    private readonly store: Reads,
    private readonly stream: string,
    private readonly size: number,
  ) {}

  /** Stands at the first event behind `after`. */
  static async open(
    store: Reads,
    {
      stream,
      size,
      after,
    }: { readonly stream: string; readonly size: number; readonly after: Position | null },
  ): Promise<StreamAhead> {
    const ahead = new StreamAhead(store, stream, size);
    await ahead.#readOn();
    while (ahead.next !== undefined && comparePositions(ahead.next.position, after) <= 0)
      await ahead.advance();
    return ahead;
  }

  get next(): StoredEvent | undefined {
    return this.#page[this.#at];
  }

  async advance(): Promise<void> {
    this.#at += 1;
    if (this.#at === this.#page.length && this.#page.length === this.size) await this.#readOn();
  }

  async #readOn(): Promise<void> {
    this.#page = await this.store.readPage(this.stream, this.#read, this.size);
    this.#read += this.#page.length;
    this.#at = 0;
  }
}
