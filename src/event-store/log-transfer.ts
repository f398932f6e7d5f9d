import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { GENESIS_HASH, linksOf } from '../events/hash-chain.js';
import type { Position, StoredEvent } from '../events/stored-event.js';
import { MAX_APPEND_DATA_BYTES } from './append-rules.js';
import { EventStoreUnavailableError, OutcomeUnknownError } from './errors.js';
import type { EventStore, LogTarget, StreamAppend } from './event-store.js';
import { type StreamEnd, StreamEnds } from './stream-ends.js';

/** Events in one page of a log that is read from end to end. */
export const PAGE_EVENTS = 1_000;
/** Events of one stream in one append: bursts beyond a hundred cost the target's subscribers their place. */
const EVENTS_PER_APPEND = 100;
const MAX_TRIES = 10;
const FIRST_RETRY_MS = 200;

/** An event without its place in the global order, which is another one in every store. */
export type EventWithoutPosition = Omit<StoredEvent, 'position'>;

/** The log page by page, in order, to its end; pages without an event are left out. */
export async function* pagesOf(
  store: EventStore,
  pageEvents = PAGE_EVENTS,
): AsyncGenerator<readonly StoredEvent[]> {
  for (let from: Position | null = null; ; ) {
    const { events, scanned } = await store.readAll(from, pageEvents);
    if (events.length > 0) yield events;
    if (scanned === from) return;
    from = scanned;
  }
}

/** Events in a page that is read ahead: two of them are in memory at a time. */
const PAGE_EVENTS_AHEAD = 500;
/** Events that are used before what came of the next page meanwhile is taken out of the connection. */
const EVENTS_A_TURN = 100;

/**
 * As `pagesOf`, a hundred events at a time; while those of one page are used the next one is read, from a store that nobody
 * writes to for the reader. Between them the event loop has a turn: an answer that nobody takes fills the connection, and the
 * store would wait with the rest of it until the whole page is used.
 */
export async function* pagesAheadOf(store: EventStore): AsyncGenerator<readonly StoredEvent[]> {
  const pages = pagesOf(store, PAGE_EVENTS_AHEAD);
  for (let next = pages.next(); ; ) {
    const { value, done } = await next;
    if (done === true) return;
    next = pages.next();
    next.catch(() => undefined); // told when its turn comes
    for (let at = 0; at < value.length; at += EVENTS_A_TURN) {
      yield value.slice(at, at + EVENTS_A_TURN);
      await nextTurn();
    }
  }
}

/** The log event by event, in order, to its end. */
export async function* eventsOf(store: EventStore): AsyncGenerator<StoredEvent, undefined> {
  for await (const page of pagesOf(store)) yield* page;
  return undefined;
}

/** An event as the next one of its stream: its hash, `null` where that does not follow from what it holds, and what is wrong. */
export interface CheckedEvent {
  readonly hash: string | null;
  /** `null`: nothing. */
  readonly broken: string | null;
}

/**
 * Follows the hash chain of every stream through a log that is read in its order, in memory of a fixed size: what is not
 * remembered of a stream is read from `store`, which holds at least the events before the one at hand.
 */
export class ChainCheck {
  readonly #ends = new StreamEnds();

  constructor(private readonly store: Pick<EventStore, 'readPage'>) {}

  /** What is wrong with the event as the next one of its stream; `null` when nothing is. */
  async follow(event: EventWithoutPosition): Promise<string | null> {
    return (await this.check(event)).broken;
  }

  /** As `follow`, with the event's hash. */
  async check(event: EventWithoutPosition): Promise<CheckedEvent> {
    const links = linksOf(event);
    if (typeof links === 'string') return { hash: null, broken: links };
    const { stream, revision } = event;
    const { prevHash, hash } = links;
    const before = { revision: revision - 1, hash: prevHash };
    // What is remembered is taken for what it says only where it fits: memory of a fixed size may take one stream for another.
    if (!this.#ends.isAt(stream, before) && !(await this.#isThere(stream, before))) {
      return { hash, broken: 'it does not follow what is before it' };
    }
    this.#ends.put(stream, { revision, hash });
    return { hash, broken: null };
  }

  /** Whether the event before is the one that is said, of the first event: whether it says that there is none. */
  async #isThere(stream: string, before: StreamEnd): Promise<boolean> {
    if (before.revision === -1) return before.hash === GENESIS_HASH;
    const [found] = await this.store.readPage(stream, before.revision, 1);
    if (found === undefined || found.revision !== before.revision) return false;
    const links = linksOf(found);
    return typeof links !== 'string' && links.hash === before.hash;
  }
}

/** What is wrong with an event by itself: its hash, its id, the form of its metadata. `null` when nothing is. */
export function brokenBy(event: EventWithoutPosition): string | null {
  const links = linksOf(event);
  return typeof links === 'string' ? links : null;
}

/** Whether two stores hold the same event at the same place of its stream, byte for byte. */
export function isSameEvent(a: EventWithoutPosition, b: EventWithoutPosition): boolean {
  return (['stream', 'revision', 'id', 'type', 'data', 'metadata'] as const).every(
    (part) => a[part] === b[part],
  );
}

/**
 * Appends events so that the order of the whole log stays; neighbours of one stream go in one append. The same bytes are
 * repeated at the same places while nobody knows whether they landed.
 * @throws what the store throws
 */
export async function appendSurely(
  target: LogTarget,
  events: readonly EventWithoutPosition[],
): Promise<void> {
  const appends = appendsOf(events);
  for (let tries = 1; ; tries += 1) {
    try {
      await target.appendInOrder(appends);
      return;
    } catch (error) {
      const passes = error instanceof OutcomeUnknownError || error instanceof EventStoreUnavailableError;
      if (!passes || tries === MAX_TRIES) throw error;
      const retryAfterMs = error instanceof OutcomeUnknownError ? error.retryAfterMs : undefined;
      await pause(retryAfterMs ?? FIRST_RETRY_MS * 2 ** Math.min(tries, 5));
    }
  }
}

/** `stream@revision`, for messages. */
export function nameOf({ stream, revision }: Pick<StoredEvent, 'stream' | 'revision'>): string {
  return `${stream}@${revision}`;
}

function appendsOf(events: readonly EventWithoutPosition[]): readonly StreamAppend[] {
  const appends: (StreamAppend & { readonly events: EventWithoutPosition[] })[] = [];
  let bytes = 0;
  for (const event of events) {
    const { stream, revision } = event;
    const last = appends.at(-1);
    const size = Buffer.byteLength(event.data, 'utf8');
    const fits =
      last !== undefined &&
      last.stream === stream &&
      last.events.length < EVENTS_PER_APPEND &&
      bytes + size <= MAX_APPEND_DATA_BYTES;
    if (fits) last.events.push(event);
    else appends.push({ stream, expected: revision === 0 ? 'no_stream' : revision - 1, events: [event] });
    bytes = fits ? bytes + size : size;
  }
  return appends;
}
