import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../src/database/embedded/embedded-postgres.js';
import { benchFolder } from './end-of-bench.js';
import { withClient } from './service-log.js';

/** On the disk of the clone, not in a temporary folder, which may be memory: a commit must cost what it costs. */
const HOME = fileURLToPath(new URL('../../.tenure/', import.meta.url));

/** The one PostgreSQL server that all sides of a run share, each in a database of its own. */
export interface BenchDatabaseServer {
  /** What is printed and recorded about it. */
  readonly description: Readonly<Record<string, string>>;
  /** Makes an empty database and tells its URL. */
  create(name: string): Promise<string>;
  /** Writes out what earlier work left dirty, so that no measurement pays for the one before it. */
  settle(): Promise<void>;
  /** Removes the databases and, if it was ours, the server. */
  stop(): Promise<void>;
}

/** Uses the server that `BENCH_DATABASE_URL` names, else starts the embedded one, durable (fsync on). */
export async function benchDatabaseServer(): Promise<BenchDatabaseServer> {
  const given = process.env.BENCH_DATABASE_URL;
  if (given !== undefined) return serverAt(given, async () => undefined);
  await mkdir(HOME, { recursive: true });
  const dataDir = await benchFolder(`${HOME}bench-`);
  const server = await startEmbeddedPostgres({
    dataDir,
    durability: 'durable',
    onProgress: (line) => console.log(line),
  });
  // The migrations of stripe-sync-engine hand a function to this role.
  await withClient(server.url, (client) => client.query('create role postgres'));
  return serverAt(server.url, () => server.stop());
}

async function serverAt(url: string, stopServer: () => Promise<void>): Promise<BenchDatabaseServer> {
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  const made: string[] = [];
  const run = randomBytes(4).toString('hex');
  return {
    description: await describe(admin),
    create: async (name) => {
      const database = `bench_${run}_${name}`;
      await admin.query(`create database ${database} template template0`);
      made.push(database);
      const address = new URL(url);
      address.pathname = `/${database}`;
      return address.href;
    },
    settle: async () => {
      await admin.query('checkpoint');
    },
    stop: async () => {
      try {
        for (const database of made) await admin.query(`drop database if exists ${database} with (force)`);
        await admin.end();
      } finally {
        await stopServer();
      }
    },
  };
}

async function describe(admin: pg.Client): Promise<Readonly<Record<string, string>>> {
  const names = ['server_version', 'fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers'];
  const { rows } = await admin.query<{ name: string; value: string }>(
    'select name, current_setting(name) as value from unnest($1::text[]) as name',
    [names],
  );
  return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
}
