import { type TestDatabase, testDatabase } from './postgres.js';

describe('testDatabase', () => {
  const made: TestDatabase[] = [];
  afterAll(() => Promise.all(made.map((database) => database.drop())));

  it('gives each caller an empty PostgreSQL 18 database of its own, in UTF8 with locale C', async () => {
    const [one, two] = await Promise.all([testDatabase(), testDatabase()]);
    made.push(one, two);
    await one.pool.query('create table mine (id int)');
    await expect(two.pool.query('select * from mine')).rejects.toThrow('does not exist');
    const { rows } = await one.pool.query(
      `select current_setting('server_version_num')::int / 10000 as major, pg_encoding_to_char(encoding) as encoding,
              datcollate from pg_database where datname = current_database()`,
    );
    expect(rows).toEqual([{ major: 18, encoding: 'UTF8', datcollate: 'C' }]);
  });
});
