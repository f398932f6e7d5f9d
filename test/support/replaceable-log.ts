import { metadataOf } from '../../src/commands/aggregate.js';
import type { EventStore } from '../../src/event-store/event-store.js';
import { PostgresEventStore } from '../../src/event-store/postgres/postgres-event-store.js';
import { GENESIS_HASH, sealEvent } from '../../src/events/hash-chain.js';
import { patientStore } from './eventstoredb/patient-store.js';
import type { LogRecord } from './eventstoredb/records.js';
import { EventStoreDbServer } from './eventstoredb/server.js';
import { logInEventStoreDb } from './log.js';
import { testDatabase } from './postgres.js';
import { pseudonymSettings } from './pseudonyms.js';
import type { TestStores } from './stores.js';
import { until } from './until.js';

/** A log under a service, which a test can lose, restore from a backup, or exchange. */
export interface ReplaceableLog {
  readonly stores: TestStores;
  /** Notes the log as it is; the answer puts that in the place of what is there then. */
  backUp(): Promise<() => Promise<void>>;
  /** Removes every event. */
  wipe(): Promise<void>;
  /** Appends so many events of customers that nobody knows, as another service on the same log would. */
  refill(count: number): Promise<void>;
}

/** A fresh one, in the database or in an EventStoreDB, as the switch of the run says. */
export async function replaceableLog(): Promise<ReplaceableLog> {
  return logInEventStoreDb() ? eventStoreDbLog() : postgresLog();
}

const PREFIX = 'tenure.';

async function postgresLog(): Promise<ReplaceableLog> {
  const database = await testDatabase();
  const { pool } = database;
  /** Changes the log as its owner may, who can switch off what refuses that. */
  const change = async (...statements: readonly (readonly [text: string, values?: readonly unknown[]])[]) => {
    const tables = ['event', 'stream_head'];
    const client = await pool.connect();
    try {
      await client.query('begin');
      for (const table of tables) await client.query(`alter table tenure_log.${table} disable trigger all`);
      await client.query('delete from tenure_log.event');
      await client.query('delete from tenure_log.stream_head');
      for (const [text, values] of statements) await client.query(text, [...(values ?? [])]);
      for (const table of tables) {
        await client.query(`alter table tenure_log.${table} enable always trigger refuse_change`);
      }
      await client.query('commit');
    } finally {
      client.release();
    }
  };
  const store = (): EventStore =>
    new PostgresEventStore(pool, {
      session: { connectionString: database.url },
      onFault: () => undefined,
    });
  return {
    stores: {
      database,
      environment: { DATABASE_URL: database.url, ...pseudonymSettings() },
      prefix: PREFIX,
      drop: () => database.drop(),
    },
    backUp: async () => {
      const of = async (table: string): Promise<string> => {
        const { rows } = await pool.query(
          `select coalesce(json_agg(t), '[]')::text as rows from tenure_log.${table} t`,
        );
        return rows[0].rows;
      };
      const [events, heads] = [await of('event'), await of('stream_head')];
      const into = (table: string): string =>
        `insert into tenure_log.${table} select * from json_populate_recordset(null::tenure_log.${table}, $1::json)`;
      return () => change([into('event'), [events]], [into('stream_head'), [heads]]);
    },
    wipe: () => change(),
    refill: (count) => refilled(store(), count),
  };
}

async function eventStoreDbLog(): Promise<ReplaceableLog> {
  const database = await testDatabase();
  let server = await EventStoreDbServer.start();
  const becomes = async (records: readonly LogRecord[]): Promise<void> => {
    const { port } = server;
    await server.stop();
    server = await EventStoreDbServer.start(port, records);
  };
  return {
    stores: {
      database,
      environment: { DATABASE_URL: database.url, EVENTSTORE_URL: server.url, ...pseudonymSettings() },
      prefix: PREFIX,
      drop: async () => {
        await server.stop();
        await database.drop();
      },
    },
    backUp: async () => {
      const records = server.log.written();
      return () => becomes(records);
    },
    wipe: () => becomes([]),
    refill: (count) => refilled(patientStore({ url: server.url, streamPrefix: PREFIX }), count),
  };
}

async function refilled(store: EventStore, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const customer = `cus_refill_${n}`;
    const stream = `${PREFIX}customer-${customer}`;
    const origin = { actor: 'stripe', correlationId: 'test', causation: null, stripe: null };
    const event = sealEvent({
      type: 'CustomerObserved',
      data: { customer, userId: null },
      stream,
      revision: 0,
      prevHash: GENESIS_HASH,
      metadataWithoutHashes: metadataOf(origin, Date.now(), 1),
      idKey: `evt_${customer}`,
    });
    // The first call may find out that the connection was to the server before.
    await until('it is appended', () =>
      store.append(stream, 'no_stream', [event]).then(
        () => true,
        () => false,
      ),
    );
  }
  await store.close();
}
