import type pg from 'pg';

/**
 * A transaction that stays open as long as a test wants it to, however slow the machine is: connections of the code under
 * test are ended where nothing is asked in one for ten seconds. Whoever has it ends it and releases the connection.
 */
export async function openTransaction(pool: pg.Pool, mode = 'read committed'): Promise<pg.PoolClient> {
  const client = await pool.connect();
  client.on('error', () => undefined); // sessions are ended on purpose
  await client.query(`begin isolation level ${mode}; set local idle_in_transaction_session_timeout = 0`);
  return client;
}
