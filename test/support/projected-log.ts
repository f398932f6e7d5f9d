import pg from 'pg';
import type { DataSource } from 'typeorm';
import type { Aggregate, Command } from '../../src/commands/aggregate.js';
import { AggregateRepository } from '../../src/commands/aggregate-repository.js';
import { type Database, openDatabase, openMigratedDatabase } from '../../src/database/database.js';
import { DeadlineClient } from '../../src/database/deadlines.js';
import type { EventStore } from '../../src/event-store/event-store.js';
import { openEventStore } from '../../src/event-store/open-event-store.js';
import { eventStoreMigrations } from '../../src/event-store/postgres/migrations.js';
import { eventStorePoolConfig } from '../../src/event-store/postgres/pg-session.js';
import type { DomainEvent } from '../../src/events/event-types.js';
import type { NewEvent } from '../../src/events/stored-event.js';
import {
  auditStream,
  catalogStream,
  checkoutStream,
  customerStream,
  deadlineStream,
  erasuresStream,
  grantStream,
  overridesStream,
  paymentStream,
  planChangeStream,
  projectionStream,
  subscriptionStream,
  usageStream,
} from '../../src/events/stream-names.js';
import type { FactOrigin } from '../../src/policy/facts.js';
import { BatchRunner } from '../../src/projections/engine/batch-runner.js';
import { openCheckpoint, type ProjectionFault } from '../../src/projections/engine/checkpoint.js';
import { projectionSource } from '../../src/projections/engine/projection-source.js';
import type { SetAside } from '../../src/projections/engine/projector.js';
import type { Round } from '../../src/projections/engine/round.js';
import { EntitlementsProjector } from '../../src/projections/entitlements/entitlements.projector.js';
import { type FoldingRules, RUNNING_RULES } from '../../src/projections/entitlements/folding-rules.js';
import {
  createProjections,
  type Projections,
  type ProjectionsOptions,
} from '../../src/projections/projections.js';
import { projectionEntities } from '../../src/projections/read-models/entities/entities.js';
import { projectionMigrations } from '../../src/projections/read-models/migrations/migrations.js';
import { GENERATION_TABLES } from '../../src/projections/read-models/partitions.js';
import { reactionMigrations } from '../../src/reactions/migrations.js';
import { outgoingWebhookMigrations } from '../../src/reactions/webhooks/migrations.js';
import { EventStoreDbServer } from './eventstoredb/server.js';
import { emptyTablesNamed, FreshTables } from './fresh-tables.js';
import { atEndOfFile } from './jest/kept-for-a-file.js';
import { logInEventStoreDb } from './log.js';
import { allParked, PARKED } from './parked-sessions.js';
import { type Template, type TestDatabase, testDatabase } from './postgres.js';
import { shakenQueries } from './shaken-queries.js';
import { PATIENCE_MS, until } from './until.js';

/** What to record: the event, who told it (`null` when it is not from Stripe), and the writer's clock (Unix ms). */
export interface ToRecord {
  readonly event: DomainEvent;
  readonly origin: FactOrigin | null;
  readonly at: number;
}

/** How to fold a log. A projector `made anew each round` has nothing in memory but what it reads, as after a restart. */
export interface Replay {
  readonly batchSize: number;
  readonly sliceSize: number;
  readonly projector: 'kept' | 'made anew each round';
  /** Chooses the order in which statements that are under way at a time are answered; left out: as PostgreSQL answers. */
  readonly shakenBy?: number;
  /** Left out: more than any test needs. */
  readonly bytesInMemory?: number;
  /** Left out: those of this code. */
  readonly rules?: FoldingRules;
  readonly faultLimit?: number;
}

/** Every row of the read models, by table. */
export type Rows = Readonly<Record<string, readonly unknown[]>>;

/** One running instance: engine and readers with connections of their own, which are known by its name. */
export interface Instance extends Projections {
  readonly name: string;
  readonly pool: pg.Pool;
  readonly faults: readonly ProjectionFault[];
  /** What it set aside, in order. */
  readonly aside: readonly SetAside[];
  /** What did not go well and is tried again, in order. */
  readonly troubles: readonly unknown[];
  /** Applied everything up to `position`; fails when it does not come so far. */
  reaches(position: string): Promise<void>;
  stop(): Promise<void>;
}

/** The sessions of an instance, by its name, that wait for a lock of this database. */
const OF_WAITING = `from pg_stat_activity
  where application_name = $1 and datname = current_database() and wait_event_type = 'Lock'`;

/** Tables of what ops did, and when, not of what was folded. */
const LEFT_OUT = [
  'live_generation',
  'projection_generation',
  'rebuild_order',
  'generation_swap',
  'swap_user',
  'swap_history',
];

const LEFT_OUT_COLUMNS = new Map([
  ['projection_checkpoint', ` - 'revision' - 'recent_changes' - 'stretch'`],
  ['revocation_feed', ` - 'cursor' - 'written_at'`],
  ['revocation_feed_head', ` - 'epoch' - 'server'`],
  ['served_entitlement', ` - 'ordinal'`],
  ['served_mark', ` - 'ordinal'`],
]);

export const KEY = { projection: 'entitlements', generation: 1 };

const CONNECTIONS = { entities: projectionEntities, poolConfig: eventStorePoolConfig };

/** The tables of a log, its read models, and the reactions to it. */
const LOG_AND_READ_MODELS: Template = {
  name: 'log_and_read_models',
  afterwards: 'emptied',
  migrate: async (url) => {
    const migrations = [
      ...eventStoreMigrations,
      ...projectionMigrations,
      ...reactionMigrations,
      ...outgoingWebhookMigrations,
    ];
    const database = await openDatabase({ url, migrations, onIdleFault, ...CONNECTIONS });
    await database.close();
  },
};

/** A database with connections to it, and its tables as they were. */
interface Place {
  readonly test: TestDatabase;
  readonly database: Database;
  readonly fresh: FreshTables;
}

/** Sessions are ended on purpose; what must hold is counted. */
const onIdleFault = (): void => undefined;

/** What every copy of the template is like. */
let fresh: FreshTables | null = null;

/** One that nobody uses: a database and its connections cost more than most tests. */
let spare: Place | null = null;
atEndOfFile(async () => {
  if (spare !== null) await leave(spare);
  spare = null;
});

async function newPlace(): Promise<Place> {
  const test = await testDatabase(LOG_AND_READ_MODELS);
  const database = await openMigratedDatabase({ url: test.url, onIdleFault, ...CONNECTIONS });
  fresh ??= await FreshTables.of(database.pool);
  return { test, database, fresh };
}

/** Ends whatever sessions a test has left, and removes what it put in; says whether that is all that it changed. */
async function isFreshAgain({ test, database: { pool }, fresh }: Place): Promise<boolean> {
  await allParked(test.url);
  await pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and application_name not in (current_setting('application_name'), $1)`,
    [PARKED],
  );
  return fresh.restore(pool);
}

async function leave({ database, test }: Place): Promise<void> {
  await database.close();
  await test.drop();
}

/** An event that a test appends as it is. */
interface Append extends Command {
  readonly event: DomainEvent;
}

const anything: Aggregate<null, Append> = {
  initial: null,
  evolve: () => null,
  knows: () => false,
  decide: (_, { event }) => [event],
  streamOf: (_, { event }) => streamOf(event),
  expectsNewStream: () => false,
};

/** A log and its read models in a database of their own. */
export class ProjectedLog {
  readonly #instances: Instance[] = [];
  readonly #repository: AggregateRepository<null, Append>;
  #now = 0;

  private constructor(
    readonly url: string,
    /** How a client finds the log where it is not in the database. */
    readonly eventStoreUrl: string | null,
    readonly pool: pg.Pool,
    readonly source: DataSource,
    readonly store: EventStore,
    private readonly closeAll: () => Promise<void>,
  ) {
    const options = { streamPrefix: 'tenure.', now: () => this.#now };
    this.#repository = new AggregateRepository(store, anything, options);
  }

  /**
   * On a database of its own, which may be one that a test of this file has left as it found it; the log is in it, or on a
   * test server of EventStoreDB's: left out, where the switch of the run says.
   */
  static async open(
    where: 'inside' | 'elsewhere' = logInEventStoreDb() ? 'elsewhere' : 'inside',
  ): Promise<ProjectedLog> {
    const place = spare ?? (await newPlace());
    spare = null;
    const { test, database } = place;
    const server = where === 'elsewhere' ? await EventStoreDbServer.start() : null;
    const eventStoreUrl = server?.url ?? null;
    const store = await openEventStore(
      { eventStoreUrl, streamPrefix: 'tenure.' },
      { pool: database.pool, databaseUrl: test.url, onFault: onIdleFault },
    );
    return new ProjectedLog(test.url, eventStoreUrl, database.pool, database.source, store, async () => {
      await store.close();
      await server?.stop();
      if (spare === null && (await isFreshAgain(place))) spare = place;
      else await leave(place);
    });
  }

  /** Appends events, one after the other; returns the position of the last. */
  async record(...given: readonly ToRecord[]): Promise<string> {
    let position = '0';
    for (const { event, origin: told, at } of given) {
      this.#now = at;
      const stripe = told && { ...told, eventType: told.stripeType, apiVersion: null, livemode: false };
      const recorded = await this.#repository.execute({
        event,
        origin: { actor: 'test', correlationId: 'test', causation: told?.eventId ?? null, stripe },
      });
      position = recorded.position ?? position;
    }
    return position;
  }

  /** Appends an event as it is, on a stream of its own; returns its position. */
  async recordRaw(event: NewEvent): Promise<string> {
    return (await this.store.append(`tenure.raw-${event.id}`, 'no_stream', [event])).position;
  }

  /** Folds what there is into the live generation, from where its checkpoint is; returns the round that ended it. */
  async replay({ batchSize, sliceSize, projector, shakenBy, ...more }: Replay): Promise<Round> {
    const pool = shakenBy === undefined ? this.pool : shakenQueries(this.pool, shakenBy);
    const make = (): BatchRunner =>
      new BatchRunner(
        projectionSource(this.store, 'tenure.', KEY.projection),
        this.pool,
        // Nothing is served meanwhile: versions are what the log makes them.
        new EntitlementsProjector({
          pool,
          generation: KEY.generation,
          sliceSize,
          now: () => 0,
          ...more,
        }),
        KEY,
        batchSize,
      );
    let runner = make();
    let checkpoint = await openCheckpoint(this.pool, KEY, RUNNING_RULES.codeVersion);
    for (;;) {
      const round = await runner.run(checkpoint);
      if (round.outcome !== 'committed') return round;
      checkpoint = round.checkpoint;
      if (projector === 'made anew each round') runner = make();
    }
  }

  /**
   * Every row of every table of the schema, in every column, and where the checkpoint is. Left out are the pointer to the
   * live generation, what is known of the swaps, what the checkpoint says of commits, and the feed's `cursor`:
   * while a publication is under way its lines and others' take turns. No column that is left holds a wall clock.
   */
  async rows(): Promise<Rows> {
    const rows: Record<string, readonly unknown[]> = {};
    for (const table of await this.#tables()) {
      const left = LEFT_OUT_COLUMNS.get(table) ?? '';
      const found = await this.pool.query<{ row: string }>(
        `select (to_jsonb(t)${left})::text as row from tenure.${table} t order by (to_jsonb(t)${left})::text collate "C"`,
      );
      rows[table] = found.rows.map(({ row }): unknown => JSON.parse(row));
    }
    return rows;
  }

  /** Every row of one generation, by table, without its number. */
  async rowsOf(generation: number): Promise<Rows> {
    const rows: Record<string, readonly unknown[]> = {};
    for (const table of GENERATION_TABLES) {
      const found = await this.pool.query<{ row: string }>(
        `select (to_jsonb(t) - 'generation')::text as row from tenure.${table} t where generation = $1
         order by to_jsonb(t)::text collate "C"`,
        [generation],
      );
      rows[table] = found.rows.map(({ row }): unknown => JSON.parse(row));
    }
    return rows;
  }

  /** Removes everything that was folded: the next fold begins with the log. */
  async empty(): Promise<void> {
    const tables = (await this.#tables()).filter((table) => table !== 'revocation_feed_head');
    await emptyTablesNamed(
      this.pool,
      tables.map((table) => `tenure."${table}"`),
    );
    await this.pool.query('update tenure.revocation_feed_head set cursor = 0');
  }

  /** Starts an instance, on `store` where it is another than the log's. `close` stops it when the test did not. */
  async start(
    name: string,
    options: Omit<
      ProjectionsOptions,
      'store' | 'streamPrefix' | 'pool' | 'source' | 'url' | 'onFault' | 'onSetAside' | 'onTrouble'
    > &
      Partial<Pick<ProjectionsOptions, 'store'>> = {},
  ): Promise<Instance> {
    const url = `${this.url}?application_name=${name}`;
    // As the thread of the live fold has them; `replay` has connections that wait for each answer.
    const pool = new pg.Pool({ connectionString: url, max: 6, Client: DeadlineClient, pipeline: true });
    pool.on('error', () => undefined);
    const faults: ProjectionFault[] = [];
    const aside: SetAside[] = [];
    const troubles: unknown[] = [];
    const projections = createProjections({
      store: this.store,
      streamPrefix: 'tenure.',
      pool,
      source: this.source,
      url,
      onFault: (fault) => faults.push(fault),
      onSetAside: (_, what) => aside.push(what),
      onTrouble: (error) => troubles.push(error),
      ...options,
    });
    const { engine } = projections;
    await projections.start();
    let running = true;
    const instance: Instance = {
      ...projections,
      name,
      pool,
      faults,
      aside,
      troubles,
      reaches: async (position) => {
        if (!(await engine.waitUntil(position, PATIENCE_MS))) {
          throw new Error(`${name} did not reach ${position}: ${JSON.stringify(engine.status())}`);
        }
      },
      stop: async () => {
        if (!running) return;
        running = false;
        await projections.stop();
        await pool.end();
      },
    };
    this.#instances.push(instance);
    return instance;
  }

  /** The session that holds the leader's lock: its process id and the name of its instance. */
  async leader(): Promise<{ readonly pid: number; readonly name: string } | undefined> {
    const found = await this.pool.query<{ pid: number; name: string }>(
      `select a.pid, a.application_name as name from pg_locks l join pg_stat_activity a using (pid)
       where l.locktype = 'advisory' and l.granted and l.classid = ${0x746e7265} and l.objid <> 2
         and a.datname = current_database()`,
    );
    return found.rows[0];
  }

  /**
   * Ends the sessions that an instance has on this database, and waits until they are gone; other tests have instances of
   * that name on theirs.
   */
  async endSessions(name: string): Promise<void> {
    const { rows } = await this.pool.query<{ pid: number }>(
      `select pid, pg_terminate_backend(pid) from pg_stat_activity
       where application_name = $1 and datname = current_database()`,
      [name],
    );
    const ended = rows.map(({ pid }) => pid);
    await until(`the sessions of ${name} are gone`, async () => {
      const found = await this.pool.query('select from pg_stat_activity where pid = any($1)', [ended]);
      return found.rowCount === 0;
    });
  }

  /** Ends those of them that wait for a lock. Returns how many those were. */
  async endWaiting(name: string): Promise<number> {
    const { rows } = await this.pool.query(`select pg_terminate_backend(pid) ${OF_WAITING}`, [name]);
    return rows.length;
  }

  /** Waits until an instance waits for a lock. */
  async waits(name: string): Promise<void> {
    await until(`${name} waits for a lock`, async () => {
      const { rowCount } = await this.pool.query(`select ${OF_WAITING}`, [name]);
      return rowCount !== 0;
    });
  }

  /** Waits until an instance holds the lead. */
  async leads(name: string): Promise<void> {
    await until(`${name} leads`, async () => (await this.leader())?.name === name);
  }

  async close(): Promise<void> {
    for (const instance of this.#instances) await instance.stop();
    await this.closeAll();
  }

  async #tables(): Promise<readonly string[]> {
    const found = await this.pool.query<{ name: string }>(
      `select relname as name from pg_class where relnamespace = 'tenure'::regnamespace and relkind in ('r', 'p')
         and not relispartition and relname <> all ($1) order by 1`,
      [LEFT_OUT],
    );
    return found.rows.map(({ name }) => name);
  }
}

function streamOf({ type, data }: DomainEvent): string {
  if (type === 'PlanCatalogPublished') return catalogStream('tenure.');
  if (type === 'EventSkipped') return projectionStream('tenure.', data.projection);
  if (type === 'AuditAccessed') return auditStream('tenure.', data.hour.slice(0, 10), data.reader);
  if (type === 'UserErased' || type === 'UserReadmitted') return erasuresStream('tenure.');
  if (type === 'AccessDeadlineReached') return deadlineStream('tenure.', data.userId);
  if (type === 'PlanChangeRequested' || type === 'PlanChangeWithdrawn')
    return planChangeStream('tenure.', data.userId);
  if (type === 'UsageReported') return usageStream('tenure.', data.userId);
  if ('session' in data) return checkoutStream('tenure.', data.session);
  if ('subscription' in data) return subscriptionStream('tenure.', data.subscription);
  if ('grant' in data) return grantStream('tenure.', data.grant);
  if ('key' in data) return overridesStream('tenure.', data.userId);
  if ('payment' in data) return paymentStream('tenure.', data.payment);
  return customerStream('tenure.', data.customer);
}
