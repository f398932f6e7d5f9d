import type { NewEvent, Position, StoredEvent } from '../events/stored-event.js';
import type { KeysAnswer } from './stream-keys.js';

/** Revision a stream must have for an append to succeed: that of its last event, or none at all. */
export type ExpectedRevision = number | 'no_stream';

/** Revision and position of the last event of an append (of the original one when it was a repeat). */
export interface AppendResult {
  readonly revision: number;
  readonly position: Position;
}

/** One append of several. */
export interface StreamAppend {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly NewEvent[];
}

/** A page of the log. `scanned` is where the next page starts, also when the page held no event of ours. */
export interface Page {
  readonly events: readonly StoredEvent[];
  readonly scanned: Position | null;
}

/** A page after an event, whose id is said too; `null` where the log has no event of ours there. */
export interface PageAfterEvent extends Page {
  readonly eventId: string | null;
}

/** DI token of the event store of this process. */
export const EVENT_STORE = Symbol('EVENT_STORE');

/**
 * The port to the log. Two adapters implement it (PostgreSQL, EventStoreDB) and one contract suite holds both.
 * Data and metadata travel as the canonical JSON text (RFC 8785) that was hashed, so no store can reshape it.
 */
export interface EventStore {
  /**
   * Appends `events` to `stream` at exactly `expected`, all or nothing.
   * A repeat of the identical append (same ids at the same place) succeeds with the original's numbers.
   * @throws WrongExpectedRevisionError when the stream is elsewhere and the append is no repeat
   * @throws InvalidEventError when an event cannot be stored as it is (lone surrogates, empty append)
   * @throws EventTooLargeError when the append is over the store's limit
   * @throws OutcomeUnknownError when the append may or may not have landed: repeat the same bytes
   * @throws EventStoreUnavailableError when the append cannot have landed because no store answered
   */
  append(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): Promise<AppendResult>;

  /** Events of one stream from revision `from` on, in order; empty when the stream does not exist. */
  read(stream: string, from: number): Promise<readonly StoredEvent[]>;

  /** Events of a stream as `read` has them, up to `limit` (1 or more). Fewer: the stream ends there. */
  readPage(stream: string, from: number, limit: number): Promise<readonly StoredEvent[]>;

  /** The last event of a stream; `null` when there is none. */
  readLast(stream: string): Promise<StoredEvent | null>;

  /**
   * What a stream holds by the keys of its events, which is less to read than the events; `types` are those of which the key
   * is enough. Callers at the same time share statements where the store has such: they give the same `types`.
   */
  readKeys(stream: string, types: ReadonlySet<string>): Promise<KeysAnswer>;

  /** Up to `limit` events after `after` (exclusive; `null` is the beginning) in the global order. */
  readAll(after: Position | null, limit: number): Promise<Page>;

  /** What `eventIdAt` and `readAll` say of a position, which whoever goes on from an event asks together. */
  readAfterEvent(position: Position, limit: number): Promise<PageAfterEvent>;

  /** Position of the last event of ours in the log, `null` when there is none. */
  head(): Promise<Position | null>;

  /** Id of our event at `position`, as the log has it now; `null` when there is none. `position` need not be one of this log. */
  eventIdAt(position: Position): Promise<string | null>;

  /** Our event at `position`, as the log has it now; `null` when there is none. `position` need not be one of this log. */
  eventAt(position: Position): Promise<StoredEvent | null>;

  /**
   * Our events at these positions, in the log's order, without those where the log has none. Only a store that finds many of
   * them at once has it: where it is missing, whoever needs events apart from one another reads the log in its order.
   */
  readonly eventsAt?: ((positions: readonly Position[]) => Promise<readonly StoredEvent[]>) | undefined;

  /** Calls `notify` when there may be more to read. A missed call costs time, never an event. Returns the way to stop. */
  onAppend(notify: () => void): () => void;

  /** Ends every connection the adapter opened itself. */
  close(): Promise<void>;
}

/** A log that another one can be brought into. */
export interface LogTarget extends EventStore {
  /**
   * Appends, each as `append` does, so that all events stand in the log in the order in which they are given, whatever their
   * streams. What landed when it throws is a beginning of that order, and the same call may be repeated.
   * @throws what `append` throws; after `WrongExpectedRevisionError` some of those behind may have landed
   */
  appendInOrder(appends: readonly StreamAppend[]): Promise<void>;
}
