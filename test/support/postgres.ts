import { randomUUID } from 'node:crypto';
import pg from 'pg';

/** An empty database of one test file's own. */
export interface TestDatabase {
  readonly url: string;
  readonly pool: pg.Pool;
  /** Closes the pool and removes the database, whoever is still connected. Call it in `afterAll`. */
  drop(): Promise<void>;
}

/** Makes a fresh, empty database on the server that Jest's global setup started (or TEST_DATABASE_URL names). */
export async function testDatabase(): Promise<TestDatabase> {
  const serverUrl = process.env.TENURE_TEST_POSTGRES_URL;
  if (serverUrl === undefined) throw new Error('no test server: test/support/global-setup.mjs has not run');
  const name = `tenure_test_${randomUUID().replaceAll('-', '')}`;
  await onServer(serverUrl, `create database ${name} template template0`);

  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const pool = new pg.Pool({ connectionString: url.href, max: 20 });
  pool.on('error', () => undefined); // an idle session ended by the server: a test that ends sessions looks for itself
  return {
    url: url.href,
    pool,
    drop: async () => {
      await pool.end();
      await onServer(serverUrl, `drop database if exists ${name} with (force)`);
    },
  };
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
