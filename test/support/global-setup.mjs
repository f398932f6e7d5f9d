/**
 * What a whole Jest run shares: one PostgreSQL server, on which `testDatabase()` makes databases (TEST_DATABASE_URL names
 * another), and the repository compiled for the processes that tests start.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { compileTree } from './compiled-tree.mjs';
import './register-typescript.mjs';

/** More than a run has been seen to need at once. */
const ROOM_BYTES = 4 * 2 ** 30;

export default async function setUp() {
  process.env.TENURE_TEST_RUN = randomBytes(6).toString('hex');
  process.env.TENURE_TEST_COMPILED = await compileTree();
  process.env.TENURE_TEST_FOLDER = await roomyMemory();
  if (process.env.TEST_DATABASE_URL) {
    process.env.TENURE_TEST_POSTGRES_URL = process.env.TEST_DATABASE_URL;
    return;
  }
  const { startEmbeddedPostgres } = await import('../../src/database/embedded/embedded-postgres.ts');
  const dataDir = await mkdtemp(join(process.env.TENURE_TEST_FOLDER, 'tenure-test-'));
  const server = await startEmbeddedPostgres({ dataDir, durability: 'volatile' }).catch(async (error) => {
    await rm(dataDir, { recursive: true, force: true });
    throw error;
  });
  await makePasswordCheap(server.url);
  process.env.TENURE_TEST_POSTGRES_URL = server.url;
  globalThis.tenureTestServer = { server, dataDir };
}

/** Keeps the password with one round of hashing: a run connects thousands of times, and has nothing to keep from anybody. */
async function makePasswordCheap(url) {
  const { username, password } = new URL(url);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('set scram_iterations = 1');
    await client.query(
      `alter role ${client.escapeIdentifier(username)} password ${client.escapeLiteral(password)}`,
    );
  } finally {
    await client.end();
  }
}

/** Linux's folder in memory where it has room, as in hundreds of databases hundreds of files are made; else that on disk. */
async function roomyMemory() {
  const memory = '/dev/shm';
  const found = await statfs(memory).catch((error) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  return found !== null && found.bavail * found.bsize >= ROOM_BYTES ? memory : tmpdir();
}
