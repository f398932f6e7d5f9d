import type { Pool, PoolClient, QueryConfig } from 'pg';

/** One transaction; rolled back, with its connection, when `work` throws. */
export function inTransaction<T>(
  pool: Pool,
  work: (client: PoolClient) => Promise<T>,
  mode = 'read committed',
): Promise<T> {
  return withClient(pool, async (client) => {
    await client.query(`begin isolation level ${mode}`);
    const result = await work(client);
    await client.query('commit');
    return result;
  });
}

/** A connection for `work`. When it throws, the connection is thrown away, and with it what it held. */
export async function withClient<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  const note = (error: Error): void => {
    broken = error; // a checked-out client without a listener would end the process
  };
  client.on('error', note);
  try {
    return await work(client);
  } catch (error) {
    broken ??= error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    client.off('error', note);
    client.release(broken);
  }
}

/** What takes statements: a pool, or one connection that sees one moment. */
export interface Statements {
  query(
    statement: string | QueryConfig<unknown[]>,
    values?: unknown[],
  ): Promise<{ readonly rows: readonly unknown[] }>;
}

/** One connection for who asks several statements at once: it takes one at a time. */
export function oneByOne(client: PoolClient): Statements {
  let last: Promise<unknown> = Promise.resolve();
  return {
    query: (statement, values) => {
      const answer = last.then(() => client.query(statement, values));
      last = answer.catch(() => undefined); // whoever asked gets the fault
      return answer;
    },
  };
}
