import pg from 'pg';
import { type TestDatabase, testDatabase } from '../../../test/support/postgres.js';
import { serviceTables } from '../../../test/support/stores.js';
import { growingTree, readTrees, writeCheckpoint } from './tree.repository.js';

/** What nobody waits for may be on the disk by chance: not so often. */
const TIMES = 20;

describe('A checkpoint of a tree', () => {
  let database: TestDatabase;
  /** One session, in which commits do not wait for the disk by themselves. */
  let pool: pg.Pool;
  beforeAll(async () => {
    database = await testDatabase(serviceTables('elsewhere'));
    pool = new pg.Pool({
      connectionString: database.url,
      max: 1,
      options: '-c synchronous_commit=off',
    });
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  async function found(expression: string, ...values: readonly unknown[]): Promise<unknown> {
    const { rows } = await pool.query(`select ${expression} as value`, [...values]);
    return rows[0]?.value;
  }

  it('is on the disk when it is said to be kept, also where the database answers commits before', async () => {
    for (let size = 1; size <= TIMES; size += 1) {
      const tree = await growingTree(pool, 'example.com/log', 0);
      const before = await found('pg_current_wal_insert_lsn()');
      expect(await writeCheckpoint(pool, tree, { checkpoint: `of ${size}`, size, now: 0 })).toBe(true);
      expect([size, await found('pg_current_wal_flush_lsn() > $1::pg_lsn', before)]).toEqual([size, true]);
    }
    expect(await readTrees(pool)).toMatchObject([{ checkpoint: `of ${TIMES}`, checkpointSize: TIMES }]);
    expect(await found(`current_setting('synchronous_commit')`)).toBe('off');
  });
});
