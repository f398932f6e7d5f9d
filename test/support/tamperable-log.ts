import pg from 'pg';
import type { EventStore, LogTarget } from '../../src/event-store/event-store.js';
import { PostgresEventStore } from '../../src/event-store/postgres/postgres-event-store.js';
import type { StoredEvent } from '../../src/events/stored-event.js';
import { patientStore } from './eventstoredb/patient-store.js';
import { type LogRecord } from './eventstoredb/records.js';
import { EventStoreDbServer } from './eventstoredb/server.js';
import { logInEventStoreDb } from './log.js';
import { type TestDatabase, testDatabase } from './postgres.js';
import { serviceTables } from './stores.js';

/** A log that a test can alter as the owner of its store can, and a database of a service beside it or around it. */
export interface TamperableLog {
  readonly database: TestDatabase;
  readonly store: LogTarget;
  /**
   * What `look` says of the log while `altered` stands there in its place; afterwards it is as it was.
   * @param log as it was read before
   */
  whileAltered<Result>(
    log: readonly StoredEvent[],
    altered: readonly StoredEvent[],
    look: (store: EventStore) => Promise<Result>,
  ): Promise<Result>;
  drop(): Promise<void>;
}

const PREFIX = 'tenure.';
const ignore = (): void => undefined;

/** A fresh one, where the switch of the run says; or in the other store. */
export function tamperableLog(where: 'as the run says' | 'in the other store'): Promise<TamperableLog> {
  return logInEventStoreDb() === (where === 'as the run says') ? inEventStoreDb() : inPostgreSql();
}

/** Alters rows in a transaction that is rolled back, through which the log is read meanwhile. */
async function inPostgreSql(): Promise<TamperableLog> {
  const database = await testDatabase(serviceTables('inside'));
  const session = { connectionString: database.url };
  const one = new pg.Pool({ ...session, max: 1 });
  const storeOn = (pool: pg.Pool) => new PostgresEventStore(pool, { session, onFault: ignore });
  const [store, through] = [storeOn(database.pool), storeOn(one)];
  return {
    database,
    store,
    whileAltered: async (log, altered, look) => {
      const before = new Map(log.map((event) => [event.position, event]));
      const after = new Map(altered.map((event) => [event.position, event]));
      const gone = [...before].filter(([position, event]) => after.get(position) !== event);
      const come = [...after].filter(([position, event]) => before.get(position) !== event);
      await one.query('begin');
      try {
        await one.query('alter table tenure_log.event disable trigger all');
        await one.query('delete from tenure_log.event where position = any($1::bigint[])', [
          gone.map(([position]) => position),
        ]);
        await one.query(
          'insert into tenure_log.event select * from json_populate_recordset(null::tenure_log.event, $1)',
          [JSON.stringify(come.map(([, event]) => event))],
        );
        return await look(through);
      } finally {
        await one.query('rollback');
      }
    },
    drop: async () => {
      await through.close();
      await store.close();
      await one.end();
      await database.drop();
    },
  };
}

/** Starts another server from records as they would be. */
async function inEventStoreDb(): Promise<TamperableLog> {
  const [database, server] = await Promise.all([
    testDatabase(serviceTables('elsewhere')),
    EventStoreDbServer.start(),
  ]);
  const storeAt = (url: string) => patientStore({ url, streamPrefix: PREFIX });
  const store = storeAt(server.url);
  return {
    database,
    store,
    whileAltered: async (_, altered, look) => {
      const other = await EventStoreDbServer.start(0, recordsOf(altered));
      const through = storeAt(other.url);
      try {
        return await look(through);
      } finally {
        await through.close();
        await other.stop();
      }
    },
    drop: async () => {
      await store.close();
      await server.stop();
      await database.drop();
    },
  };
}

/** Bytes between two records: more than any of them has. */
const APART = 10_000;

/** Events as records of a server. Where revisions of a stream are left out, records that are not Tenure's take them. */
function recordsOf(log: readonly StoredEvent[]): readonly LogRecord[] {
  const records: LogRecord[] = [];
  const next = new Map<string, number>();
  const write = ({ id, type, stream, data, metadata }: StoredEvent): void => {
    records.push({
      kind: 'event',
      ordinal: records.length + 1,
      position: (records.length + 1) * APART,
      stream,
      revision: next.get(stream) ?? 0,
      createdMs: 0,
      id,
      type,
      contentType: 'application/json',
      data: Buffer.from(data),
      metadata: Buffer.from(metadata),
    });
    next.set(stream, (next.get(stream) ?? 0) + 1);
  };
  for (const event of log) {
    while ((next.get(event.stream) ?? 0) < event.revision) write({ ...event, type: '$nobody' });
    write(event);
  }
  return records;
}
