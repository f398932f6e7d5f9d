import type streams from '@eventstore/db-client/generated/streams_pb.js';
import { comparePositions, type Page, type Position, type StoredEvent } from '../event-store.js';
import { allRequest, eventOf, type From } from './wire.js';

/** Runs one read to its end. */
export type Read = (request: streams.ReadReq, what: string) => Promise<readonly streams.ReadResp[]>;

/** Most records in one read of a longer walk through the log. */
const LARGEST_READ = 1_000;
/** Records looked at for one page: where nearly all are foreign, a page ends here, short of its limit. */
const RECORDS_PER_PAGE = 16_384;
/** Records of the first look at the end of the log. */
const FIRST_LOOK_BACK = 8;

/**
 * Reads the one global log that Tenure may share with others and with the server itself: what is not ours is skipped.
 * Positions are only ever ones that the server gave; none is computed.
 */
export class LogReader {
  /** The last event of ours that is known, and the record up to which there is none after it. */
  #known: Position | null = null;
  #clearTo: Position | null = null;

  constructor(
    private readonly read: Read,
    private readonly prefix: string,
  ) {}

  /** Up to `limit` events of ours after `after`; reads on over foreign ones until it has them or the log ends. */
  async page(after: Position | null, limit: number): Promise<Page> {
    const events: StoredEvent[] = [];
    let scanned = after;
    let count = Math.min(limit + 1, LARGEST_READ); // one more: the record at `after` comes first
    for (
      let looked = 0;
      looked < RECORDS_PER_PAGE;
      looked += count, count = Math.min(count * 2, LARGEST_READ)
    ) {
      const records = await this.#records(scanned ?? 'start', count, 'forwards');
      for (const record of records) {
        if (record.position === scanned) continue;
        scanned = record.position;
        if (this.#isOurs(record)) events.push(record);
        if (events.length === limit) break;
      }
      if (events.length === limit || records.length < count) break;
    }
    const last = events.at(-1);
    if (last !== undefined) this.noteOurs(last.position);
    return { events, scanned };
  }

  /** Position of our last event: walks back from the end of the log as far as it is not known. */
  async head(): Promise<Position | null> {
    const clearTo = this.#clearTo;
    let from: From = 'end';
    let end: Position | null = null;
    for (let count = FIRST_LOOK_BACK; ; count = Math.min(count * 4, LARGEST_READ)) {
      const records: readonly StoredEvent[] = await this.#records(from, count, 'backwards');
      for (const record of records) {
        end ??= record.position;
        if (this.#isOurs(record)) this.noteOurs(record.position);
        // What lies below was looked at before: nothing of ours is there but what is known.
        if (this.#isOurs(record) || isUpTo(record, this.#known) || isUpTo(record, clearTo)) {
          return this.#settle(end);
        }
      }
      const last = records.at(-1);
      if (last === undefined || records.length < count) return this.#settle(end);
      from = last.position;
    }
  }

  /** An event of ours is at `position`: `head` need not look below it. */
  noteOurs(position: Position): void {
    if (comparePositions(position, this.#known) > 0) this.#known = position;
  }

  #settle(end: Position | null): Position | null {
    if (comparePositions(end, this.#clearTo) > 0) this.#clearTo = end;
    return this.#known;
  }

  async #records(
    from: From,
    count: number,
    direction: 'forwards' | 'backwards',
  ): Promise<readonly StoredEvent[]> {
    const messages = await this.read(allRequest(from, count, direction), 'the log');
    return messages.map(eventOf).filter((event) => event !== null);
  }

  /** Types with `$` are the server's own, in anybody's streams: links, tombstones. */
  #isOurs({ stream, type }: StoredEvent): boolean {
    return stream.startsWith(this.prefix) && !stream.startsWith('$') && !type.startsWith('$');
  }
}

function isUpTo(record: StoredEvent, position: Position | null): boolean {
  return position !== null && comparePositions(record.position, position) <= 0;
}
