import pg from 'pg';
import { type Template, type TestDatabase, testDatabase } from './postgres.js';

const WITH_A_ROW: Template = {
  name: 'with_a_row',
  afterwards: 'emptied',
  migrate: async (url) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(
      `create table mine (id serial primary key, word text); insert into mine (word) values ('there')`,
    );
    await client.end();
  },
};

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

  it('gives the next caller one that a test has left, with its tables, rows and sequences as they were', async () => {
    const rowsOf = async ({ pool }: TestDatabase): Promise<unknown> =>
      (
        await pool.query(
          "select id::int, word from mine union all select lastval()::int, 'last' from nextval('mine_id_seq')",
        )
      ).rows;
    const first = await testDatabase(WITH_A_ROW);
    await first.pool.query(
      `update mine set word = 'changed'; insert into mine (word) values ('more'); create table other (id int)`,
    );
    await first.drop();
    const second = await testDatabase(WITH_A_ROW);
    expect(second.url).toBe(first.url);
    await expect(second.pool.query('select from other')).rejects.toThrow('does not exist');
    expect(await rowsOf(second)).toEqual([
      { id: 1, word: 'there' },
      { id: 2, word: 'last' },
    ]);
    await second.pool.query('alter table mine add column more int');
    await second.drop();
    const third = await testDatabase(WITH_A_ROW);
    expect(third.url).not.toBe(second.url);
    await third.drop();
    const left = new pg.Client({ connectionString: third.url, application_name: 'left' });
    left.on('error', () => undefined);
    await left.connect();
    const fourth = await testDatabase(WITH_A_ROW);
    expect(fourth.url).not.toBe(third.url);
    made.push(fourth);
    await left.end();
  });
});
