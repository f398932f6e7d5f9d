/** One PostgreSQL server for a whole Jest run; `testDatabase()` makes databases on it. TEST_DATABASE_URL names another. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import './register-typescript.mjs';

export default async function setUp() {
  if (process.env.TEST_DATABASE_URL) {
    process.env.TENURE_TEST_POSTGRES_URL = process.env.TEST_DATABASE_URL;
    return;
  }
  const { startEmbeddedPostgres } = await import('../../src/database/embedded-postgres.ts');
  const dataDir = await mkdtemp(join(tmpdir(), 'tenure-test-'));
  const server = await startEmbeddedPostgres({ dataDir, durability: 'volatile' }).catch(async (error) => {
    await rm(dataDir, { recursive: true, force: true });
    throw error;
  });
  process.env.TENURE_TEST_POSTGRES_URL = server.url;
  globalThis.tenureTestServer = { server, dataDir };
}
