import { type TestDatabase, testDatabase } from '../../test/support/postgres.js';
import { serviceTables } from '../../test/support/stores.js';
import { DISPOSABLE_TABLES, FOLDED_TABLES, KEPT_TABLES } from './tables.js';

describe('The tables of a service', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase(serviceTables());
  });
  afterAll(() => database.drop());

  it('are each the log, folded from it, kept by a backup, or named as disposable with a reason', async () => {
    const { rows } = await database.pool.query<{ name: string }>(
      `select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.relkind in ('r', 'p') and not c.relispartition
         and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'tenure_log')`,
    );
    const named = [
      ...FOLDED_TABLES.map((table) => `tenure.${table}`),
      // Histories are folded, but for those whose log was replaced.
      ...KEPT_TABLES.filter(({ where }) => where === undefined).map(({ table }) => `tenure.${table}`),
      ...Object.keys(DISPOSABLE_TABLES),
      // What is of the log that there is now is made of it again.
      'tenure.audit_tile',
    ];
    expect(rows.map(({ name }) => name).sort()).toEqual(named.sort());
    expect(KEPT_TABLES.filter(({ where }) => where !== undefined).map(({ table }) => table)).toEqual([
      'audit_tile',
      'entitlement_history',
    ]);
  });
});
