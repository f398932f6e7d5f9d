import { z } from 'zod';
import type { EventStore } from '../../src/event-store/event-store.js';
import { EventStoreDbEventStore } from '../../src/event-store/eventstoredb/eventstoredb-event-store.js';
import type { Position, StoredEvent } from '../../src/events/stored-event.js';
import { sampleEvent } from '../log/sample-event.js';
import type { LogCount } from './service-log.js';

const PAGE = 500;
/** Events of one append when the log is filled; bursts beyond a hundred cost subscribers their place. */
const EVENTS_PER_APPEND = 100;

const metadataSchema = z.looseObject({ stripeEventId: z.string() });

/**
 * The bench's own look at the log, through Tenure's adapter and a connection that no side knows. It sees the streams of
 * this run: a server that is not ours may hold others.
 */
export class BenchLog {
  readonly #store: EventStore;
  #marks = 0;

  constructor(
    url: string,
    private readonly prefix: string,
  ) {
    this.#store = new EventStoreDbEventStore({
      url,
      streamPrefix: prefix,
      onFault: (fault) => process.stderr.write(`${fault}\n`),
    });
  }

  /** Appends an event of the bench's own; what comes later has a higher position. */
  async mark(): Promise<Position> {
    this.#marks += 1;
    const { position } = await this.#store.append(`${this.prefix}mark-${this.#marks}`, 'no_stream', [
      sampleEvent(),
    ]);
    return position;
  }

  /** Appends `count` events to streams of a hundred. */
  async fill(streams: string, count: number): Promise<void> {
    for (let done = 0; done < count; done += EVENTS_PER_APPEND) {
      const events = Array.from({ length: Math.min(EVENTS_PER_APPEND, count - done) }, sampleEvent);
      await this.#store.append(`${streams}${done}`, 'no_stream', events);
    }
  }

  /** Position of the newest event of this run. */
  async head(): Promise<Position> {
    const head = await this.#store.head();
    if (head === null) throw new Error('the log holds nothing of this run');
    return head;
  }

  /** How many events after `after` are in streams that begin with `streams`, and how many different streams those are. */
  async countStreams(after: Position, streams: string): Promise<{ events: number; streams: number }> {
    const names: string[] = [];
    for await (const { stream } of this.#eventsAfter(after, streams)) names.push(stream);
    return { events: names.length, streams: new Set(names).size };
  }

  /** As `countInLog` counts in the tables of a log in PostgreSQL. */
  async countStripeEvents(after: Position, streams: string): Promise<LogCount> {
    const ids: string[] = [];
    for await (const { metadata } of this.#eventsAfter(after, streams)) {
      ids.push(metadataSchema.parse(JSON.parse(metadata)).stripeEventId);
    }
    return { events: ids.length, stripeEvents: new Set(ids).size };
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async *#eventsAfter(after: Position, streams: string): AsyncGenerator<StoredEvent> {
    for (let from: Position | null = after; ; ) {
      const { events, scanned } = await this.#store.readAll(from, PAGE);
      for (const event of events) if (event.stream.startsWith(streams)) yield event;
      if (scanned === from) return;
      from = scanned;
    }
  }
}
