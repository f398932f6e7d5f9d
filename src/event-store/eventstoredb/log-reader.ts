import type streams from '@eventstore/db-client/generated/streams_pb.js';
import { comparePositions, type Position, type StoredEvent } from '../../events/stored-event.js';
import { UnknownPositionError } from '../errors.js';
import { type Page } from '../event-store.js';
import { allRequest, type From } from './wire.js';

/** Runs one read to its end. */
export type Read = (request: streams.ReadReq, what: string) => Promise<readonly StoredEvent[]>;

/** Most records in one read: a page of a build or a verification, and the record before it. */
const LARGEST_READ = 2_001;
/** Records looked at for one page: where nearly all are foreign, a page ends here, short of its limit. */
const RECORDS_PER_PAGE = 16_384;
/** Records of the first look at the end of the log. */
const FIRST_LOOK_BACK = 8;

/** A record that was seen: a log that holds another one there, or none, is not the one that was looked at. */
type Seen = Pick<StoredEvent, 'position' | 'id'>;

/**
 * Reads the one global log that Tenure may share with others and with the server itself: what is not ours is skipped.
 * Positions are only ever ones that the server gave; none is computed.
 */
export class LogReader {
  /** The last event of ours that is known, and the record up to which there is none after it. */
  #known: Seen | null = null;
  #clearTo: Seen | null = null;

  constructor(
    private readonly read: Read,
    private readonly prefix: string,
  ) {}

  /** Up to `limit` events of ours after `after`; reads on over foreign ones until it has them or the log ends. */
  async page(after: Position | null, limit: number): Promise<Page> {
    const events: StoredEvent[] = [];
    let scanned = after;
    let foreign = 0;
    for (let looked = 0; looked < RECORDS_PER_PAGE; ) {
      // One more than what is missing: the record at `scanned` comes first. And where others are between, twice as many as last.
      const count = Math.min(limit - events.length + 1 + 2 * foreign, LARGEST_READ);
      const records = await this.#records(scanned ?? 'start', count, 'forwards');
      foreign = 0;
      for (const record of records) {
        if (record.position === scanned) continue;
        scanned = record.position;
        if (this.#isOurs(record)) events.push(record);
        else foreign += 1;
        if (events.length === limit) break;
      }
      if (events.length === limit || records.length < count) break;
      looked += count;
    }
    const last = events.at(-1);
    if (last !== undefined) this.noteOurs(last);
    return { events, scanned };
  }

  /**
   * Position of our last event: walks back from the end of the log to the first event of ours, or to a record that was
   * looked at before. Where the log does not hold that record any more, what was known of it is forgotten.
   */
  async head(): Promise<Position | null> {
    const [known, clearTo] = [this.#known, this.#clearTo];
    let from: From = 'end';
    let end: Seen | null = null;
    for (let count = FIRST_LOOK_BACK; ; count = Math.min(count * 4, LARGEST_READ)) {
      const records: readonly StoredEvent[] = await this.#records(from, count, 'backwards');
      for (const record of records) {
        end ??= record;
        if (this.#isOurs(record)) return this.#settle(known, record, end);
        // What lies below was looked at before: nothing of ours is there but what is known.
        if (isSame(record, known) || isSame(record, clearTo)) return this.#settle(known, known, end);
      }
      const last = records.at(-1);
      if (last === undefined || records.length < count) return this.#settle(known, null, end);
      from = last.position;
    }
  }

  /** Our event at a position, which need not be one of this log. */
  async eventAt(position: Position): Promise<StoredEvent | null> {
    try {
      const [record] = await this.#records(position, 1, 'forwards');
      return record !== undefined && record.position === position && this.#isOurs(record) ? record : null;
    } catch (error) {
      if (error instanceof UnknownPositionError) return null;
      throw error;
    }
  }

  /** An event of ours that is there: `head` need not look below it. */
  noteOurs({ position, id }: Seen): void {
    if (comparePositions(position, this.#known?.position ?? null) > 0) this.#known = { position, id };
  }

  /** A walk from `end` came to our last event, or found none. What was noted since it began, when `known` was, stays. */
  #settle(known: Seen | null, last: Seen | null, end: Seen | null): Position | null {
    this.#clearTo = end === null ? null : { position: end.position, id: end.id };
    if (this.#known === known) this.#known = last === null ? null : { position: last.position, id: last.id };
    else if (last !== null) this.noteOurs(last);
    return this.#known?.position ?? null;
  }

  #records(from: From, count: number, direction: 'forwards' | 'backwards'): Promise<readonly StoredEvent[]> {
    return this.read(allRequest(from, count, direction), 'the log');
  }

  /** Types with `$` are the server's own, in anybody's streams: links, tombstones. */
  #isOurs({ stream, type }: StoredEvent): boolean {
    return stream.startsWith(this.prefix) && !stream.startsWith('$') && !type.startsWith('$');
  }
}

function isSame(record: StoredEvent, seen: Seen | null): boolean {
  return seen !== null && record.position === seen.position && record.id === seen.id;
}
