import { randomUUID } from 'node:crypto';
import { type BACKWARDS, EventStoreDBClient, type FORWARDS, jsonEvent } from '@eventstore/db-client';
import { EventStoreDbServer } from '../../support/eventstoredb/server.js';
import { until } from '../../support/until.js';

/** The two ways an append travels; credentials in its options force the unary one. */
export const PATHS = ['batch', 'unary'] as const;
export type Path = (typeof PATHS)[number];

const CREDENTIALS = { username: 'admin', password: 'changeit' };

/** Options that send an append along `path`. */
export function along(path: Path) {
  return path === 'unary' ? { credentials: CREDENTIALS } : {};
}

export type Direction = typeof FORWARDS | typeof BACKWARDS;

/** A server and its clients: two that throw when an append fails, one that answers `success: false`. */
export class World {
  readonly client: EventStoreDBClient;
  readonly second: EventStoreDBClient;
  readonly lenient: EventStoreDBClient;
  readonly #clients: EventStoreDBClient[] = [];

  private constructor(readonly server: EventStoreDbServer) {
    this.client = this.connect();
    this.second = this.connect();
    this.lenient = this.connect({ options: '&throwOnAppendFailure=false' });
  }

  static async open(): Promise<World> {
    return new World(await EventStoreDbServer.start());
  }

  /** One more client, with credentials or options in its connection string; it is disposed with the world. */
  connect({ credentials = '', options = '' } = {}): EventStoreDBClient {
    return this.connectTo(`${this.server.url.replace('://', `://${credentials}`)}${options}`);
  }

  /** A client of another address; it is disposed with the world. */
  connectTo(url: string): EventStoreDBClient {
    const client = EventStoreDBClient.connectionString(url);
    this.#clients.push(client);
    return client;
  }

  async close(): Promise<void> {
    for (const client of this.#clients) await client.dispose();
    await this.server.stop();
  }

  /** Kills the server and starts it again; every client is back when this returns. */
  async restart(): Promise<void> {
    await this.server.stop();
    await this.server.start();
    for (const client of this.#clients) {
      await until('the client is connected again', () =>
        lastPosition(client).then(
          () => true,
          () => false,
        ),
      );
    }
  }

  /** A stream of `count` events `E0`, `E1`, …, appended one by one. */
  async stream(count: number, name = `s-${randomUUID()}`): Promise<string> {
    for (let n = 0; n < count; n += 1) await this.client.appendToStream(name, numbered(n));
    return name;
  }

  /** How many events of `stream` can be read. */
  async lengthOf(stream: string): Promise<number> {
    return (await eventsOf(this.client, stream)).length;
  }
}

/** Event number `n` of a stream. */
export function numbered(n: number, id: string = randomUUID()) {
  return jsonEvent({ id, type: `E${n}`, data: { n } });
}

/** `count` events for one append. */
export function batchOf(count: number, type = 'Small') {
  return Array.from({ length: count }, (_, n) => jsonEvent({ type, data: { n } }));
}

/** What can be read of a stream; nothing when it does not exist. */
export async function eventsOf(client: EventStoreDBClient, stream: string) {
  const events = [];
  try {
    for await (const { event } of client.readStream(stream)) if (event !== undefined) events.push(event);
  } catch (error) {
    if (!(error instanceof Error && 'type' in error && error.type === 'stream-not-found')) throw error;
  }
  return events;
}

/** Every event of `$all`. */
export async function everything(client: EventStoreDBClient) {
  const events = [];
  for await (const { event } of client.readAll()) if (event !== undefined) events.push(event);
  return events;
}

async function lastPosition(client: EventStoreDBClient): Promise<bigint | undefined> {
  let last: bigint | undefined;
  for await (const { commitPosition } of client.readAll({
    direction: 'backwards',
    fromPosition: 'end',
    maxCount: 1,
  })) {
    last = commitPosition;
  }
  return last;
}
