import { rm } from 'node:fs/promises';
import pg from 'pg';

/** Undoes what `global-setup.mjs` did. */
export default async function tearDown() {
  const { TENURE_TEST_RUN: run, TENURE_TEST_COMPILED: tree, TENURE_TEST_LEFT_OUT: leftOut } = process.env;
  if (leftOut) process.stderr.write(`\nLeft out: ${leftOut}\n`);
  await rm(tree, { recursive: true });
  const started = globalThis.tenureTestServer;
  if (started === undefined) {
    await dropTemplates(run);
    return;
  }
  await started.server.stop();
  await rm(started.dataDir, { recursive: true, force: true });
}

/** The databases that `testDatabase()` copied, and those that it kept for further tests: a server that goes on after the run keeps none of them. */
async function dropTemplates(run) {
  const client = new pg.Client({ connectionString: process.env.TENURE_TEST_POSTGRES_URL });
  await client.connect();
  try {
    const { rows } = await client.query(
      'select datname as name from pg_database where starts_with(datname, $1) or starts_with(datname, $2)',
      [`tenure_template_${run}_`, `tenure_test_${run}_`],
    );
    for (const { name } of rows) {
      await client.query(`alter database ${name} is_template false`);
      await client.query(`drop database ${name} with (force)`);
    }
  } finally {
    await client.end();
  }
}
