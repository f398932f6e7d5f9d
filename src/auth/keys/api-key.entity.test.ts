import { type TestDatabase, testDatabase } from '../../../test/support/postgres.js';
import type { Database } from '../../database/database.js';
import { openServiceDatabase } from '../../start/service-database.js';

describe('keys and webhook contact as TypeORM knows them', () => {
  let test: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    test = await testDatabase();
    database = await openServiceDatabase({
      url: test.url,
      eventStoreUrl: null,
      onIdleFault: (error) => {
        throw error;
      },
    });
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  async function changesToMake(): Promise<readonly string[]> {
    const { upQueries } = await database.source.driver.createSchemaBuilder().log();
    return upQueries.map(({ query }) => query);
  }

  it('are what the migrations make', async () => {
    expect(await changesToMake()).toEqual([]);
    await test.pool.query('alter table tenure.api_key drop constraint api_key_hash_key');
    expect(await changesToMake()).toEqual([expect.stringContaining('UNIQUE ("hash")')]);
    await test.pool.query('alter table tenure.webhook_contact drop constraint webhook_contact_id_check');
    expect(await changesToMake()).toContainEqual(expect.stringContaining('CHECK (id = 1)'));
  });
});
