import type { EventStore } from '../../event-store/event-store.js';
import { comparePositions, type Position, type StoredEvent } from '../../events/stored-event.js';
import { StreamAhead } from './stream-ahead.js';

/** What streams that are read as one may take. */
export interface MergeLimits {
  /** Events in memory that wait for their turn, beside those of reads under way. */
  readonly held: number;
  /** Events of one read, at least and at most. */
  readonly leastPage: number;
  readonly mostPage: number;
  /** Reads under way at a time. */
  readonly atOnce: number;
}

const LIMITS: MergeLimits = { held: 4_000, leastPage: 8, mostPage: 500, atOnce: 8 };

/**
 * The events of streams behind `after`, in the log's order. However many streams there are and however long they are, no
 * more events are in memory than `limits` say: where that is not enough, those that are needed last are let go, and read
 * again in their turn.
 */
export async function* mergedStreams(
  store: Pick<EventStore, 'readPage'>,
  streams: readonly string[],
  after: Position | null,
  limits: MergeLimits = LIMITS,
): AsyncGenerator<StoredEvent, void> {
  const { held, leastPage, mostPage, atOnce } = limits;
  const share = Math.floor(held / Math.max(1, streams.length));
  const size = Math.min(mostPage, Math.max(leastPage, share));
  const merge = new Merge(held);
  for (let first = 0; first < streams.length; first += atOnce) {
    const some = streams.slice(first, first + atOnce);
    const opened = await Promise.all(some.map((stream) => StreamAhead.open({ store, stream, size }, after)));
    for (const each of opened) if (each !== null) merge.add(each);
    merge.makeRoom();
  }
  for (let next = merge.next; next !== undefined; next = merge.next) {
    if (next.held === 0) {
      merge.makeRoom();
      await Promise.all(merge.upcoming(atOnce).map((each) => each.load()));
    }
    merge.remove(next);
    const before = next.held;
    const { event, hasMore } = await next.take();
    if (hasMore) merge.add(next);
    if (next.held >= before) merge.makeRoom();
    yield event;
  }
}

/** Streams by when their next event comes, the next one last. */
class Merge {
  readonly #streams: StreamAhead[] = [];

  constructor(private readonly most: number) {}

  /** The stream of which the next event stands first in the log. */
  get next(): StreamAhead | undefined {
    return this.#streams.at(-1);
  }

  /** Those whose turn is next. */
  upcoming(count: number): readonly StreamAhead[] {
    return this.#streams.slice(-count);
  }

  add(stream: StreamAhead): void {
    let [low, high] = [0, this.#streams.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#streams[middle];
      if (other !== undefined && comparePositions(other.position, stream.position) > 0) low = middle + 1;
      else high = middle;
    }
    this.#streams.splice(low, 0, stream);
  }

  /** Takes out the next one. */
  remove(stream: StreamAhead): void {
    if (this.#streams.pop() !== stream) throw new Error('only the next stream is taken out');
  }

  /** Lets go of events until no more are held than may be, first of the streams whose turn comes last. */
  makeRoom(): void {
    let held = 0;
    for (let at = this.#streams.length - 1; at >= 0; at -= 1) {
      const stream = this.#streams[at];
      if (stream === undefined) continue;
      if (held + stream.held > this.most) stream.letGo();
      held += stream.held;
    }
  }
}
