/**
 * The floor of the EventStoreDB path: `@eventstore/db-client` as it comes. Events are handed to it as ready bytes, so
 * that it serialises nothing; credentials with each append keep it off its batch stream, whose pending appends are one
 * table for the whole process. A server without security does not look at them.
 */
import { binaryEvent, EventStoreDBClient, NO_STREAM } from '@eventstore/db-client';
import { parseConnectionString } from '../../src/config/connection-string.js';
import type { Position } from '../../src/events/stored-event.js';
import type { LogUnderTest, SampleEvent } from '../log/log-under-test.js';

const NOBODY = { username: 'nobody', password: 'nothing' };

/** An event for the bare client: bytes, and metadata as bytes too where there is any. */
export interface BareEvent {
  readonly id: string;
  readonly type: string;
  readonly data: Buffer;
  readonly metadata?: Buffer;
}

export class BareClient implements LogUnderTest {
  readonly #client: EventStoreDBClient;
  readonly #credentials: { readonly username: string; readonly password: string };

  constructor(url: string) {
    // The client does not know the server's later name.
    this.#client = EventStoreDBClient.connectionString(url.replace(/^kurrentdb/, 'esdb'));
    this.#credentials = parseConnectionString(url).credentials ?? NOBODY;
  }

  /** One event, one unary append, one new stream. The identical append again succeeds and stores nothing. */
  async appendBytes(stream: string, event: BareEvent): Promise<void> {
    await this.#client.appendToStream(stream, binaryEvent(event), {
      expectedRevision: NO_STREAM,
      credentials: this.#credentials,
    });
  }

  append(stream: string, { id, type, data, metadata }: SampleEvent): Promise<void> {
    return this.appendBytes(stream, {
      id,
      type,
      data: Buffer.from(data, 'utf8'),
      metadata: Buffer.from(metadata, 'utf8'),
    });
  }

  async countAfter(after: Position, prefix: string, page: number): Promise<number> {
    let count = 0;
    for (let from = BigInt(after); ; ) {
      let records = 0;
      // The record at the start comes first and was read before.
      const read = this.#client.readAll({
        fromPosition: { commit: from, prepare: from },
        maxCount: page + 1,
      });
      for await (const { event } of read) {
        if (event === undefined) continue;
        if (records > 0 && event.streamId.startsWith(prefix)) count += 1;
        records += 1;
        from = event.position?.commit ?? from;
      }
      if (records <= page) return count;
    }
  }
}
