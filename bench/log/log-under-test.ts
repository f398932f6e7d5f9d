import type { NewEvent, Position } from '../../src/events/stored-event.js';

/** An event as both sides get it, made of the golden one. */
export type SampleEvent = Pick<NewEvent, 'id' | 'type' | 'data' | 'metadata'>;

/** A way to the log of one EventStoreDB: through Tenure's port, or with the bare client. */
export interface LogUnderTest {
  /** Appends `event` as the first of a new stream; it is durable when this resolves. */
  append(stream: string, event: SampleEvent): Promise<void>;

  /**
   * Reads from after the record at `after` to the end of the log, `page` events at a time.
   * @returns how many of them are in streams whose names begin with `prefix`
   */
  countAfter(after: Position, prefix: string, page: number): Promise<number>;
}
