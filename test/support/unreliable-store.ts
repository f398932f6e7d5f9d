import { OutcomeUnknownError } from '../../src/event-store/errors.js';
import type { AppendResult, EventStore, ExpectedRevision } from '../../src/event-store/event-store.js';
import type { NewEvent } from '../../src/events/stored-event.js';

/** What becomes of an append: it is passed on, it lands and its answer is lost, or it never arrives. */
export type Fate = 'passes' | 'lands unanswered' | 'is lost';

/** An append as it was sent. */
export interface SentAppend {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly NewEvent[];
}

/** A real store behind a line that loses requests and answers as it is asked to, and what was asked of it. */
export interface UnreliableStore extends EventStore {
  readonly sent: readonly SentAppend[];
  /** Of events; of keys alone they are not counted. */
  readonly reads: number;
}

/**
 * Stands before `store`. `fate` is asked before each append is passed on, with how many were sent before it; it may
 * do something to the log first.
 */
export function unreliableStore(
  store: EventStore,
  fate: (nth: number) => Fate | Promise<Fate> = () => 'passes',
): UnreliableStore {
  const sent: SentAppend[] = [];
  let reads = 0;
  const append = async (
    stream: string,
    expected: ExpectedRevision,
    events: readonly NewEvent[],
  ): Promise<AppendResult> => {
    sent.push({ stream, expected, events });
    const becomes = await fate(sent.length - 1);
    if (becomes === 'is lost') throw unheard();
    const result = await store.append(stream, expected, events);
    if (becomes === 'lands unanswered') throw unheard();
    return result;
  };
  return {
    sent,
    get reads() {
      return reads;
    },
    append,
    read: (stream, from) => {
      reads += 1;
      return store.read(stream, from);
    },
    readPage: (stream, from, limit) => {
      reads += 1;
      return store.readPage(stream, from, limit);
    },
    readLast: (stream) => {
      reads += 1;
      return store.readLast(stream);
    },
    readKeys: (stream, types) => store.readKeys(stream, types),
    readAll: (after, limit) => store.readAll(after, limit),
    readAfterEvent: (position, limit) => store.readAfterEvent(position, limit),
    head: () => store.head(),
    eventIdAt: (position) => store.eventIdAt(position),
    eventAt: (position) => store.eventAt(position),
    eventsAt: store.eventsAt?.bind(store),
    onAppend: (notify) => store.onAppend(notify),
    close: () => store.close(),
  };
}

/** The repeat may follow at once, so that no test waits. */
function unheard(): OutcomeUnknownError {
  return Object.assign(new OutcomeUnknownError('the line broke'), { retryAfterMs: 0 });
}
