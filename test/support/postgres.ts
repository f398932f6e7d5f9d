import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { FreshTables } from './fresh-tables.js';
import { allParked, endParked, PARKED, parkSessions } from './parked-sessions.js';

/** SQLSTATE object_in_use: the server has waited five seconds for the sessions to end. */
const IN_USE = '55006';

/** An empty database of one test file's own. */
export interface TestDatabase {
  readonly url: string;
  readonly pool: pg.Pool;
  /** Closes the pool and removes the database, or what is in it, whoever is still connected. Call it in `afterAll`. */
  drop(): Promise<void>;
}

/** What a database begins with: tables that some migrations have made, which then need not run for each test. */
export interface Template {
  /** Letters and `_`: part of a database's name. */
  readonly name: string;
  /** Makes the tables in the empty database at `url`, and leaves no connection behind. */
  migrate(url: string): Promise<void>;
  /**
   * What becomes of a database that a test has left: it is `dropped`, or `emptied` for the next test of the process, which finds
   * the tables as they were and sessions that others have had. What tests connections or migrations drops it.
   */
  readonly afterwards: 'dropped' | 'emptied';
}

/**
 * Makes a fresh database on the server that Jest's global setup started (or TEST_DATABASE_URL names): empty, or with the
 * tables of `template`, which the first test of a run that asks for it makes.
 */
export async function testDatabase(template?: Template): Promise<TestDatabase> {
  const serverUrl = process.env.TENURE_TEST_POSTGRES_URL;
  if (serverUrl === undefined) throw new Error('no test server: test/support/global-setup.mjs has not run');
  const spare = template && spares.get(template.name);
  if (template !== undefined && spare !== undefined) {
    spares.delete(template.name);
    const database = opened(serverUrl, spare, template);
    if (!(await isInUse(database.pool))) return database;
    await database.pool.end(); // whoever used it before did not close everything
    await removeDatabase(serverUrl, spare);
  }
  const name = `tenure_test_${process.env.TENURE_TEST_RUN}_${randomUUID().replaceAll('-', '')}`;
  const from = template === undefined ? 'template0' : await templateDatabase(serverUrl, template);
  await onServer(serverUrl, `create database ${name} template ${from} strategy file_copy`);
  const url = urlOf(serverUrl, name);
  const database = opened(serverUrl, url, template);
  if (template?.afterwards === 'emptied') {
    parkSessions(url);
    if (!fresh.has(template.name)) fresh.set(template.name, await FreshTables.of(database.pool));
  }
  return database;
}

/** URLs of databases that tests have left and that were emptied, by template: as many as one test needs at once. */
const spares = new Map<string, string>();

/** The tables of templates as they are in each copy, by template. */
const fresh = new Map<string, FreshTables>();

function urlOf(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

function opened(serverUrl: string, url: string, template: Template | undefined): TestDatabase {
  const pool = new pg.Pool({ connectionString: url, max: 20 });
  pool.on('error', () => undefined); // an idle session ended by the server: a test that ends sessions looks for itself
  return {
    url,
    pool,
    drop: async () => {
      await pool.end();
      const tables = template && fresh.get(template.name);
      if (template && tables && (await isEmptied(url, tables)) && !spares.has(template.name)) {
        spares.set(template.name, url);
        return;
      }
      await removeDatabase(serverUrl, url);
    },
  };
}

async function removeDatabase(serverUrl: string, url: string): Promise<void> {
  await endParked(url);
  await onServer(serverUrl, (client) => dropDatabase(client, new URL(url).pathname.slice(1)));
}

/** Whether anybody else has a session with a database. */
async function isInUse(pool: pg.Pool): Promise<boolean> {
  const { rows } = await pool.query(
    'select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and application_name <> $1',
    [PARKED],
  );
  return rows.length > 0;
}

/** Ends whatever sessions a test has left, and removes what it put in; says whether that is all that it changed. */
async function isEmptied(url: string, tables: FreshTables): Promise<boolean> {
  await allParked(url);
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  try {
    await pool.query(
      `select pg_terminate_backend(pid, 5000) from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid() and application_name <> $1`,
      [PARKED],
    );
    return await tables.restore(pool);
  } finally {
    await pool.end();
    await allParked(url);
  }
}

/** The names of the databases of templates, by template: known to be whole. */
const whole = new Map<string, Promise<string>>();

/** The name of the run's database for a template, made once whoever asks. Jest's global teardown removes it. */
function templateDatabase(serverUrl: string, template: Template): Promise<string> {
  const known = whole.get(template.name);
  if (known !== undefined) return known;
  const making = makeTemplate(serverUrl, template);
  whole.set(template.name, making);
  return making;
}

async function makeTemplate(serverUrl: string, { name, migrate }: Template): Promise<string> {
  const database = `tenure_template_${process.env.TENURE_TEST_RUN}_${name}`;
  await onServer(serverUrl, async (client) => {
    await client.query(`select pg_advisory_lock(hashtext('${database}'))`);
    try {
      const found = await client.query<{ isWhole: boolean }>(
        'select datistemplate as "isWhole" from pg_database where datname = $1',
        [database],
      );
      if (found.rows[0]?.isWhole === true) return;
      await client.query(`drop database if exists ${database}`); // whoever made it did not come to the end
      await client.query(`create database ${database} template template0`);
      await migrate(urlOf(serverUrl, database));
      await client.query(`alter database ${database} is_template true`);
    } finally {
      await client.query(`select pg_advisory_unlock(hashtext('${database}'))`);
    }
  });
  return database;
}

/** Sessions that are just ending do so by themselves; only those that stay are ended, which they would call a fault. */
async function dropDatabase(client: pg.ClientBase, name: string): Promise<void> {
  try {
    await client.query(`drop database if exists ${name}`);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.code !== IN_USE) throw error;
    await client.query(`drop database if exists ${name} with (force)`);
  }
}

/** Connections to the server itself, which stay open for the next test of the file. */
let servers: pg.Pool | null = null;

async function onServer(
  url: string,
  task: string | ((client: pg.ClientBase) => Promise<void>),
): Promise<void> {
  if (servers === null) {
    servers = new pg.Pool({ connectionString: url, allowExitOnIdle: true });
    servers.on('error', () => undefined); // the server ends with the run, and idle connections with it
  }
  const client = await servers.connect();
  try {
    if (typeof task === 'string') await client.query(task);
    else await task(client);
  } finally {
    client.release();
  }
}
