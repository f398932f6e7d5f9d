import type { Pool, PoolClient, PoolConfig, QueryConfig, QueryResultRow } from 'pg';
import { type Deadlines, poolConfig, SHORT } from '../../database/deadlines.js';
import { endsSession, sqlStateOf } from '../../database/transient.js';

/** Milliseconds one statement may take: to get a connection, and from sending it to its answer. */
export interface StatementLimits {
  readonly connectMs: number;
  readonly answerMs: number;
}

/**
 * What became of a statement. `not_sent`: no connection was to be had. `refused`: the server answered with an error, so
 * nothing was committed. `lost`: it was sent and no answer came, so it may have been committed.
 */
export type StatementOutcome<R> =
  | { readonly kind: 'answered'; readonly rows: readonly R[] }
  | { readonly kind: 'not_sent'; readonly cause: Error }
  | { readonly kind: 'refused'; readonly sqlState: string; readonly cause: Error }
  | { readonly kind: 'lost'; readonly cause: Error };

/** Settings of a pool for the event store, and for whatever else somebody waits for. */
export function eventStorePoolConfig(
  connectionString: string,
  max: number,
  deadlines: Deadlines = SHORT,
): PoolConfig {
  return poolConfig(connectionString, max, 'tenure-log', deadlines);
}

/** Runs one statement on a connection of the pool, within the limits; a connection in doubt is thrown away. */
export async function runStatement<R extends QueryResultRow>(
  pool: Pool,
  statement: QueryConfig<unknown[]>,
  limits: StatementLimits,
): Promise<StatementOutcome<R>> {
  let client: PoolClient;
  try {
    client = await takeClient(pool, limits.connectMs);
  } catch (cause) {
    return { kind: 'not_sent', cause: asError(cause) };
  }
  const outcome = await sendStatement<R>(client, statement, limits.answerMs);
  client.release(outcome.kind === 'lost' ? outcome.cause : undefined);
  return outcome;
}

async function takeClient(pool: Pool, connectMs: number): Promise<PoolClient> {
  const connecting = pool.connect();
  const deadline = startDeadline(connectMs, 'no database connection');
  try {
    return await Promise.race([connecting, deadline.passed]);
  } catch (cause) {
    // A connection that comes after the deadline goes back to the pool; the fault itself is reported by this throw.
    connecting.then(
      (late) => late.release(),
      () => undefined,
    );
    throw cause;
  } finally {
    deadline.stop();
  }
}

async function sendStatement<R extends QueryResultRow>(
  client: PoolClient,
  statement: QueryConfig<unknown[]>,
  answerMs: number,
): Promise<StatementOutcome<R>> {
  // A checked-out client that loses its connection emits 'error' and fails its query; without a listener the event ends the process.
  const ignore = (): void => undefined;
  client.on('error', ignore);
  const deadline = startDeadline(answerMs, 'no answer from the database');
  try {
    const { rows } = await Promise.race([client.query<R>(statement), deadline.passed]);
    return { kind: 'answered', rows };
  } catch (cause) {
    const error = asError(cause);
    const sqlState = sqlStateOf(error);
    return sqlState === undefined || endsSession(sqlState)
      ? { kind: 'lost', cause: error }
      : { kind: 'refused', sqlState, cause: error };
  } finally {
    deadline.stop();
    client.removeListener('error', ignore);
  }
}

function startDeadline(ms: number, message: string): { passed: Promise<never>; stop: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${message} within ${ms} ms`)), ms);
  });
  return { passed, stop: () => clearTimeout(timer) };
}

/** Whatever was thrown, as an Error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
