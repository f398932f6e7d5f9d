import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { openMirror } from '../../src/audit/tree/mirror.js';
import { TreeKeeper } from '../../src/audit/tree/tree-keeper.js';
import { SealedSecrets } from '../../src/auth/sealed-secrets.js';
import { backupLines, readBackupHeader } from '../../src/backup/backup-reader.js';
import { BackupWriter } from '../../src/backup/backup-writer.js';
import { KEPT_TABLES } from '../../src/backup/tables.js';
import { runCli } from '../../src/cli/program.js';
import { metadataOf } from '../../src/commands/aggregate.js';
import { EVENT_STORE, type EventStore } from '../../src/event-store/event-store.js';
import type { EventStoreDbEventStore } from '../../src/event-store/eventstoredb/eventstoredb-event-store.js';
import { PostgresEventStore } from '../../src/event-store/postgres/postgres-event-store.js';
import { GENESIS_HASH, type SealedEvent, sealEvent } from '../../src/events/hash-chain.js';
import type { StoredEvent } from '../../src/events/stored-event.js';
import { GENERATION_TABLES } from '../../src/projections/read-models/partitions.js';
import { buyer, PRO } from '../support/buyer.js';
import { built } from '../support/compiled.js';
import { patientStore } from '../support/eventstoredb/patient-store.js';
import { EventStoreDbServer } from '../support/eventstoredb/server.js';
import { testFolder } from '../support/folder.js';
import { wholeLog } from '../support/log.js';
import { type TestDatabase, testDatabase } from '../support/postgres.js';
import { ADMIN_KEY, SHIPPED_PLANS, startService, type TestService } from '../support/service.js';
import { ServiceProcess } from '../support/service-process.js';
import { treeKeeper } from '../support/tree-keeper.js';
import { until } from '../support/until.js';

/** Events of the log that is backed up, beside a few from Stripe. */
const EVENTS = Number(process.env.BACKUP_EVENTS ?? 240);
const ORIGIN = 'example.com/audit/log';
const EVENTS_OF_A_STREAM = 4;
const AT_ONCE = 64;
const TIMEOUT_MS = Math.max(300_000, EVENTS * 60);

/** Columns that tell a position, and the number of a generation. */
const POSITIONS = ['position', 'late_at', 'last_position', 'catalog', 'generation', 'epoch', 'server'];

let folder: string;
let from: TestService;
let server: EventStoreDbServer;
let target: EventStoreDbEventStore;
/** Databases that are restored into: beside EventStoreDB, and with the log inside. */
let beside: TestDatabase;
let inside: TestDatabase;
beforeAll(async () => {
  folder = await testFolder('tenure-backup-');
  [from, server, beside, inside] = await Promise.all([
    startService({
      environment: { ...SHIPPED_PLANS, AUDIT_ORIGIN: ORIGIN, AUDIT_MIRROR: join(folder, 'mirror') },
    }),
    EventStoreDbServer.start(),
    testDatabase(),
    testDatabase(),
  ]);
  target = patientStore({ url: server.url });
  for (let n = 0; n < 3; n += 1) {
    const who = buyer(`user${n}`);
    const told = [who.started('active'), who.pays('subscription_create'), who.switchesTo(PRO)];
    for (const { body } of told.slice(0, 2 + (n % 2))) await from.receive(body);
  }
  await appendBulk('bulk', EVENTS);
}, TIMEOUT_MS);
afterAll(async () => {
  await target.close();
  await server.stop();
  await from.close();
  await Promise.all([beside.drop(), inside.drop()]);
  await rm(folder, { recursive: true });
});

const sourceStore = () => from.tenure.app.get<EventStore>(EVENT_STORE);
const bare = (events: readonly StoredEvent[]) => events.map(({ position: _, ...event }) => event);

/** Appends events of customers, a few each, as fast as the store takes them. */
async function appendBulk(name: string, events: number): Promise<void> {
  const store = sourceStore();
  const streams = Math.ceil(events / EVENTS_OF_A_STREAM);
  let next = 0;
  const append = async (): Promise<void> => {
    for (let n = next++; n < streams; n = next++) {
      const stream = `tenure.customer-cus_${name}${n}`;
      let prevHash = GENESIS_HASH;
      for (let revision = 0; revision < EVENTS_OF_A_STREAM; revision += 1) {
        const sealed = observed(`${name}${n}`, stream, revision, prevHash);
        await store.append(stream, revision === 0 ? 'no_stream' : revision - 1, [sealed]);
        prevHash = sealed.hash;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, append));
}

function observed(name: string, stream: string, revision: number, prevHash: string): SealedEvent {
  return sealEvent({
    type: 'CustomerObserved',
    data: { customer: `cus_${name}`, userId: `user of ${name} ${revision % 2}` },
    stream,
    revision,
    prevHash,
    metadataWithoutHashes: metadataOf(
      { actor: 'stripe', correlationId: 'test', causation: null, stripe: null },
      Date.now(),
      1,
    ),
    idKey: `evt_${name}_${revision}`,
  });
}

async function tenure(environment: Readonly<Record<string, string>>, ...args: readonly string[]) {
  let [out, err] = ['', ''];
  const code = await runCli(args, {
    environment: { USER: 'ada', ...environment },
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err };
}

const source = () => ({ DATABASE_URL: from.stores.database.url });
const onEventStoreDb = () => ({ DATABASE_URL: beside.url, EVENTSTORE_URL: server.url });
const onPostgres = () => ({ DATABASE_URL: inside.url });

async function level(): Promise<void> {
  const head = await sourceStore().head();
  const isLevel = (): boolean => from.tenure.projections.engine.status().handled === head;
  await until('the read models are level', isLevel, TIMEOUT_MS);
}

/** Every row that is read or kept, but for tiles, which are made of the log again, and for what tells a position, an epoch of the feed or the number of a generation. */
async function rowsOf(pool: pg.Pool): Promise<Readonly<Record<string, readonly string[]>>> {
  const kept = KEPT_TABLES.map(({ table }) => table).filter(
    (table) => !/_generation$|^audit_tile$/.test(table),
  );
  const rows: Record<string, readonly string[]> = {};
  for (const table of new Set<string>([...GENERATION_TABLES, ...kept])) {
    const isFolded = GENERATION_TABLES.some((each) => each === table);
    const live = isFolded ? 'where generation = (select generation from tenure.live_generation)' : '';
    const found = await pool.query<{ row: string }>(
      `select (to_jsonb(t) - $1::text[])::text as row from tenure.${table} t ${live} order by 1`,
      [POSITIONS],
    );
    rows[table] = found.rows.map(({ row }) => row);
  }
  return rows;
}

/** In which epoch cursors of the revocation feed count. */
async function epochOf(pool: pg.Pool): Promise<string> {
  const { rows } = await pool.query<{ epoch: string }>('select epoch from tenure.revocation_feed_head');
  return String(rows[0]?.epoch);
}

/** Where kept history says its events are, and whether the log of that store has them there. */
async function historyPlaces(pool: pg.Pool, store: EventStore): Promise<readonly (boolean | null)[]> {
  const { rows } = await pool.query<{ event_id: string; position: string }>(
    'select event_id, position::text from tenure.swap_history order by swap, user_id, seq',
  );
  return Promise.all(
    rows.map(async ({ event_id, position }) => (await store.eventIdAt(position)) === event_id),
  );
}

/** What the tiles of the tree hold, without where that stands in the log. */
async function tilesOf(pool: pg.Pool): Promise<readonly unknown[]> {
  const { rows } = await pool.query(
    `select level, index::int, encode(hashes, 'hex') as hashes from tenure.audit_tile order by level, index`,
  );
  return rows;
}

/** The checkpoint and the mirror of before are of this log, too, and so is the tree that is made of it. */
async function expectSameTree(
  environment: Readonly<Record<string, string>>,
  log: { readonly database: TestDatabase; readonly store: EventStore },
  before: { readonly kept: string; readonly tiles: readonly unknown[] },
): Promise<void> {
  for (const against of [before.kept, join(folder, 'mirror')]) {
    const verified = await tenure(environment, 'audit', 'verify', '--against', against, '--json');
    expect(verified.code).toBe(0);
    expect(JSON.parse(verified.out)).toMatchObject({
      brokenCount: 0,
      difference: null,
      unproven: 0,
      checkpoints: [{ verdict: 'holds' }, { verdict: 'holds' }],
    });
  }
  const mirror = openMirror(join(folder, 'mirror'));
  const secrets = new SealedSecrets([ADMIN_KEY]);
  const keeper = treeKeeper({ pool: log.database.pool, store: log.store, secrets, mirror });
  expect(await keeper.keepUp()).toBe(false);
  expect(await tilesOf(log.database.pool)).toEqual(before.tiles);
}

describe('tenure backup and tenure restore', () => {
  it(
    'take a log that goes on meanwhile up to where it was',
    async () => {
      const file = join(folder, 'under-load.backup');
      const before = (await sourceStore().head()) ?? '0';
      const [made] = await Promise.all([
        tenure(source(), 'backup', file, '--json'),
        appendBulk('load', Math.ceil(EVENTS / 4)),
      ]);
      expect(made.code).toBe(0);
      const { head, events } = JSON.parse(made.out);
      expect(Number(head)).toBeGreaterThanOrEqual(Number(before));
      const log = await wholeLog(sourceStore());
      const kept: StoredEvent[] = [];
      for await (const line of backupLines(file, await readBackupHeader(file))) {
        if (line.kind === 'event') kept.push(line.event);
      }
      expect(kept).toEqual(log.slice(0, events));
      expect(kept.at(-1)?.position).toBe(head);
    },
    TIMEOUT_MS,
  );

  it(
    'bring a log from PostgreSQL to EventStoreDB and back: equal bytes, ids, hashes, read models and tree',
    async () => {
      await tenure(source(), 'keys', 'create', '--name', 'shop', '--scope', 'ops');
      await level();
      // What was served and is not what the log says: a swap keeps it.
      await from.stores.database.pool.query(
        `update tenure.user_role set snapshot = replace(snapshot, '"paid"', '"free"'), role = 'free' where user_id = 'user0'`,
      );
      await from.stores.database.pool.query(
        `update tenure.entitlement_history set snapshot = replace(snapshot, '"paid"', '"free"') where user_id = 'user0'`,
      );
      const keeper = from.tenure.app.get(TreeKeeper);
      await keeper.keepUp();
      const kept = join(folder, 'kept');
      await writeFile(kept, await readFile(join(folder, 'mirror/checkpoint')));
      const tiles = await tilesOf(from.stores.database.pool);
      expect(await tenure(source(), 'projections', 'rebuild', '--reason', 'a test')).toMatchObject({
        code: 0,
      });
      expect(await keeper.keepUp()).toBe(false);
      expect(await tilesOf(from.stores.database.pool)).toEqual(tiles);
      const log = await wholeLog(sourceStore());
      const rows = await rowsOf(from.stores.database.pool);
      for (const table of ['api_key', 'revocation_offset', 'revocation_feed', 'swap_user', 'swap_history']) {
        expect({ table, isEmpty: rows[table]?.length === 0 }).toEqual({ table, isEmpty: false });
      }

      const [first, second] = [join(folder, 'first.backup'), join(folder, 'second.backup')];
      const told: Record<string, unknown> = {};
      const timed = async (what: string, ...args: Parameters<typeof tenure>): Promise<void> => {
        const began = performance.now();
        const done = await tenure(...args, '--json');
        expect(done).toMatchObject({ code: 0 });
        const { bytes, events } = JSON.parse(done.out);
        told[what] = { seconds: Math.round(performance.now() - began) / 1_000, events, bytes };
      };
      await timed('backup of PostgreSQL', source(), 'backup', first);
      await timed('restore to EventStoreDB', onEventStoreDb(), 'restore', first);
      expect(bare(await wholeLog(target))).toEqual(bare(log));
      expect(await rowsOf(beside.pool)).toEqual(rows);
      expect(await epochOf(beside.pool)).not.toBe(await epochOf(from.stores.database.pool));
      expect(new Set(await historyPlaces(beside.pool, target))).toEqual(new Set([true]));

      await expectSameTree(onEventStoreDb(), { database: beside, store: target }, { kept, tiles });
      await timed('backup of EventStoreDB', onEventStoreDb(), 'backup', second);
      await timed('restore to PostgreSQL', onPostgres(), 'restore', second);
      const store = new PostgresEventStore(inside.pool, {
        session: { connectionString: inside.url },
        onFault: () => undefined,
      });
      try {
        expect(await wholeLog(store)).toEqual(log);
        expect(await rowsOf(inside.pool)).toEqual(rows);
        expect(new Set(await historyPlaces(inside.pool, store))).toEqual(new Set([true]));
        await expectSameTree(onPostgres(), { database: inside, store }, { kept, tiles });
      } finally {
        await store.close();
      }
      if (process.env.BACKUP_EVENTS !== undefined) process.stderr.write(`${JSON.stringify(told)}\n`);

      expect(await tenure(onPostgres(), 'restore', second)).toMatchObject({
        code: 1,
        out: '',
        err: expect.stringContaining('the log is not empty'),
      });
      expect(await tenure(onPostgres(), 'projections', 'verify')).toMatchObject({ code: 0 });
    },
    TIMEOUT_MS,
  );

  it(
    'go on after they were killed, and let nobody else in before the end',
    async () => {
      const [database, other] = await Promise.all([testDatabase(), EventStoreDbServer.start()]);
      const store = patientStore({ url: other.url });
      const environment = { DATABASE_URL: database.url, EVENTSTORE_URL: other.url };
      const file = join(folder, 'first.backup');
      try {
        // The server stands still once some are there: else a fast restore is over before anybody has looked.
        other.watch = (method) => {
          if (method === 'append' && other.log.written().length > 0) other.freeze();
        };
        const killed = new ServiceProcess(environment, { file: built('cli'), args: ['restore', file] });
        await until('some events are written', () => other.log.written().length > 0);
        expect(await killed.kill('SIGKILL')).toMatchObject({ signal: 'SIGKILL' });
        other.watch = undefined;
        other.thaw();
        expect(await tenure(environment, 'projections', 'list')).toMatchObject({
          code: 78,
          err: expect.stringContaining('a restore has not ended here'),
        });
        expect(await tenure(environment, 'restore', join(folder, 'under-load.backup'))).toMatchObject({
          code: 1,
          err: expect.stringContaining('the restore of another backup has not ended here'),
        });
        const done = await tenure(environment, 'restore', file, '--json');
        expect(done).toMatchObject({ code: 0 });
        expect(JSON.parse(done.out).found).toBeGreaterThan(0);
        expect(bare(await wholeLog(store))).toEqual(bare(await wholeLog(target)));
        expect(await rowsOf(database.pool)).toEqual(await rowsOf(beside.pool));
      } finally {
        await store.close();
        await other.stop();
        await database.drop();
      }
    },
    TIMEOUT_MS,
  );

  it(
    'refuse a file with a forged event at that event, before they make anything in the database',
    async () => {
      const [file, forged] = [join(folder, 'first.backup'), join(folder, 'forged.backup')];
      const database = await testDatabase();
      let writer: BackupWriter | null = null;
      let events = 0;
      for await (const line of backupLines(file, await readBackupHeader(file))) {
        if (line.kind === 'log') writer = await BackupWriter.open(forged, line.about);
        if (line.kind === 'row') await writer?.row(line.table, line.json);
        if (line.kind !== 'event') continue;
        events += 1;
        const { event } = line;
        const isForged = event.stream.endsWith('cus_bulk7') && event.revision === 2;
        await writer?.event(isForged ? { ...event, data: event.data.replace('user of', 'User of') } : event);
      }
      await writer?.finish();
      expect(events).toBeGreaterThan(EVENTS);
      try {
        expect(await tenure({ DATABASE_URL: database.url }, 'restore', forged)).toMatchObject({
          code: 65,
          err: expect.stringContaining('is broken at tenure.customer-cus_bulk7@2: hash'),
        });
        const { rows } = await database.pool.query(
          `select to_regnamespace('tenure') as tables, to_regnamespace('tenure_log') as log`,
        );
        expect(rows).toEqual([{ tables: null, log: null }]);
      } finally {
        await database.drop();
      }
    },
    TIMEOUT_MS,
  );
});
