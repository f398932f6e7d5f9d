import { type TestDatabase, testDatabase } from '../../../../test/support/postgres.js';
import { type Database, openDatabase } from '../../../database/database.js';
import { projectionMigrations } from '../migrations/migrations.js';
import { GENERATION_TABLES } from '../partitions.js';
import { projectionEntities } from './entities.js';

describe('the entities', () => {
  let test: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    test = await testDatabase();
    database = await open(test);
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  function open({ url }: TestDatabase): Promise<Database> {
    return openDatabase({
      url,
      migrations: projectionMigrations,
      entities: projectionEntities,
      poolConfig: (connectionString, max) => ({ connectionString, max }),
      onIdleFault: (error) => {
        throw error;
      },
    });
  }

  /** What TypeORM would do to make a database what the entities say. */
  async function changesToMake({ source } = database): Promise<readonly string[]> {
    const { upQueries } = await source.driver.createSchemaBuilder().log();
    return upQueries.map(({ query }) => query);
  }

  async function names(statement: string): Promise<readonly string[]> {
    const { rows } = await test.pool.query<{ name: string }>(statement);
    return rows.map(({ name }) => name);
  }

  it('say of a migrated database what it is: TypeORM finds nothing to change', async () => {
    expect(await changesToMake()).toEqual([]);
  });

  // What the test above holds must be seen to be looked at, or it holds nothing.
  it.each([
    ['a type', 'alter table tenure.revocation_feed alter version type bigint'],
    ['a precision', 'alter table tenure.revocation_feed alter raised_at type timestamptz(6)'],
    ['a null', 'alter table tenure.customer alter facts drop not null'],
    ['a collation', 'alter table tenure.revocation_feed alter user_id type text collate "POSIX"'],
    ['a default', 'alter table tenure.projection_checkpoint alter revision drop default'],
    ['a column', 'alter table tenure.checkout add extra int'],
    ['a key', 'alter table tenure.projection_checkpoint drop constraint projection_checkpoint_pkey'],
    ['an index', 'drop index tenure.checkout_generation_customer_idx'],
    ['a check', 'alter table tenure.live_generation drop constraint live_generation_id_check'],
  ])('are not equal to a database that differs by %s', async (_, change) => {
    const other = await testDatabase();
    const migrated = await open(other);
    try {
      await other.pool.query(change);
      expect(await changesToMake(migrated)).not.toEqual([]);
    } finally {
      await migrated.close();
      await other.drop();
    }
  });

  it('are one for each table, and name the partitioned ones', async () => {
    const tables = await names(
      `select c.relname as name from pg_class c where c.relnamespace = 'tenure'::regnamespace
       and c.relkind in ('r', 'p') and not c.relispartition`,
    );
    const metadatas = database.source.entityMetadatas;
    expect(metadatas.map(({ tableName }) => tableName).sort()).toEqual([...tables].sort());
    const partitioned = await names(
      `select relname as name from pg_class where relnamespace = 'tenure'::regnamespace and relkind = 'p'`,
    );
    expect([...GENERATION_TABLES].sort()).toEqual([...partitioned].sort());
  });

  // TypeORM compares keys and indices as sets of columns, and no predicates.
  it('have the columns of every key and index in order, and their predicates', async () => {
    const { rows } = await test.pool.query(
      `select i.relname as name, pg_get_expr(x.indpred, x.indrelid) as predicate,
              (select array_agg(a.attname::text order by k.n) from unnest(x.indkey) with ordinality as k(attnum, n)
               join pg_attribute a on a.attrelid = x.indrelid and a.attnum = k.attnum) as columns
       from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid
       where t.relnamespace = 'tenure'::regnamespace and not t.relispartition order by i.relname`,
    );
    const said = database.source.entityMetadatas.flatMap(({ tableName, primaryColumns, indices }) => [
      {
        name: `${tableName}_pkey`,
        predicate: null,
        columns: primaryColumns.map(({ databaseName }) => databaseName),
      },
      ...indices.map(({ name, where, columns }) => ({
        name,
        predicate: where ?? null,
        columns: columns.map(({ databaseName }) => databaseName),
      })),
    ]);
    expect(said.sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual(
      rows.sort((a, b) => (a.name < b.name ? -1 : 1)),
    );
  });
});
