import type { MigrationInterface, QueryRunner } from 'typeorm';
import { type TestDatabase, testDatabase } from '../../test/support/postgres.js';
import { type Database, openDatabase } from './database.js';

class CreateCounter1700000000001 implements MigrationInterface {
  readonly name = 'CreateCounter1700000000001';
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create table counter (n int not null)');
    await runner.query('insert into counter values (0)');
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table counter');
  }
}

class Count1700000000002 implements MigrationInterface {
  readonly name = 'Count1700000000002';
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('update counter set n = n + 1');
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('update counter set n = n - 1');
  }
}

class Fail1700000000003 implements MigrationInterface {
  readonly name = 'Fail1700000000003';
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('update counter set n = n + 100');
    await runner.query('select no_such_column from counter');
  }
  async down(): Promise<void> {}
}

describe('openDatabase', () => {
  let test: TestDatabase;
  const opened: Database[] = [];

  beforeEach(async () => {
    test = await testDatabase();
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((database) => database.close()));
    await test.drop();
  });

  async function open(...migrations: (new () => MigrationInterface)[]): Promise<Database> {
    const database = await openDatabase({
      url: test.url,
      migrations,
      entities: [],
      poolConfig: (connectionString, max) => ({ connectionString, max }),
      onIdleFault: (error) => {
        throw error;
      },
    });
    opened.push(database);
    return database;
  }

  const count = async (): Promise<unknown> => (await test.pool.query('select n from counter')).rows;

  it('runs each migration once when many start at once on an empty database', async () => {
    await Promise.all(Array.from({ length: 6 }, () => open(CreateCounter1700000000001, Count1700000000002)));
    expect(await count()).toEqual([{ n: 1 }]);
  });

  it('runs only what is pending when it opens a database again', async () => {
    await open(CreateCounter1700000000001);
    await open(CreateCounter1700000000001, Count1700000000002);
    const { pool } = await open(CreateCounter1700000000001, Count1700000000002);
    expect((await pool.query('select n from counter')).rows).toEqual([{ n: 1 }]);
  });

  it('undoes a migration that fails, keeps those before it, and lets go of the lock', async () => {
    await expect(open(CreateCounter1700000000001, Fail1700000000003)).rejects.toThrow('no_such_column');
    expect(await count()).toEqual([{ n: 0 }]);
    await open(CreateCounter1700000000001, Count1700000000002);
    expect(await count()).toEqual([{ n: 1 }]);
  });

  it('fails when nobody listens there', async () => {
    const closed = new URL(test.url);
    closed.port = '1';
    const refused = openDatabase({
      url: closed.href,
      migrations: [],
      entities: [],
      poolConfig: (connectionString, max) => ({ connectionString, max }),
      onIdleFault: () => undefined,
    });
    await expect(refused).rejects.toThrow('ECONNREFUSED');
  });
});
