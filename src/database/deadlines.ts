import pg from 'pg';
import { z } from 'zod';

/**
 * How long a connection, and what is asked on it, may take, in milliseconds. The server gives up on a lock or a statement
 * before the client does, so that what is slow ends as a known refusal; no word for `answerMs` means that nothing comes.
 */
export interface Deadlines {
  readonly connectMs: number;
  readonly lockMs: number;
  readonly statementMs: number;
  readonly answerMs: number;
  /** A transaction in which nothing is asked for so long is ended by the server, and its locks with it. */
  readonly idleInTransactionMs: number;
}

/** Deadlines of everything that somebody waits for, and of folding. */
export const SHORT: Deadlines = {
  connectMs: 3_000,
  lockMs: 3_000,
  statementMs: 5_000,
  answerMs: 7_000,
  idleInTransactionMs: 10_000,
};

/**
 * For what may rightly take long: migrations, comparisons, swaps, and drops, which wait for reads that began before them.
 * A silent network is found out by another way: see `LongWatch`.
 */
export const LONG: Deadlines = {
  connectMs: 10_000,
  lockMs: 3_600_000,
  statementMs: 3_600_000,
  answerMs: 3_610_000,
  idleInTransactionMs: 300_000,
};

/** Deadlines of sessions that hold a lock or listen, and ask for next to nothing. */
export const SESSION: Deadlines = { ...SHORT, statementMs: 3_000, answerMs: 5_000 };

/** How long a connection may take to say goodbye before it is cut, in milliseconds. */
const GOODBYE_MS = 500;

/** A connection that ends in time whatever the network does, and knows whether it waits for an answer. */
export class DeadlineClient extends pg.Client {
  /** The server's process for it, once prepared: a pooler in between says another in its greeting. */
  backend: number | null = null;
  #answers = 0;
  #writtenThen = 0;
  #isGathering = false;

  constructor(config?: pg.ClientConfig) {
    super(config);
    // One that broke between two statements of a transaction has nobody else to tell: the next statement says so.
    this.on('error', () => undefined);
    // Before the driver's own listener, which may send the next statement at once.
    this.connection.prependListener('readyForQuery', () => {
      this.#answers += 1;
      this.#writtenThen = this.#written;
    });
  }

  /** Answers so far; `null` while it waits for none. */
  get awaitedAnswer(): number | null {
    return this.#written > this.#writtenThen || this.#hasMoreUnderWay ? this.#answers : null;
  }

  /** What is asked until the promises of this turn are done goes out in one write. */
  gather(): void {
    if (this.#isGathering) return;
    this.#isGathering = true;
    this.connection.stream.cork();
    process.nextTick(() => {
      this.#isGathering = false;
      this.connection.stream.uncork();
    });
  }

  /** Breaks the connection off: whatever waits on it fails with `why`. */
  cut(why: Error): void {
    this.connection.stream.destroy(why);
  }

  override end(): Promise<void>;
  override end(callback: (error: Error) => void): void;
  override end(callback?: (error: Error) => void): Promise<void> | undefined {
    const late = setTimeout(() => this.connection.stream.destroy(), GOODBYE_MS);
    this.connection.once('end', () => clearTimeout(late));
    if (callback === undefined) return super.end();
    super.end(callback);
  }

  /** Of several statements sent together some are still to be answered, though nothing was written since the last answer. */
  get #hasMoreUnderWay(): boolean {
    return this.pipeline && Reflect.get(this, 'readyForQuery') === false;
  }

  get #written(): number {
    const written: unknown = Reflect.get(this.connection.stream, 'bytesWritten');
    return typeof written === 'number' ? written : 0;
  }
}

/** Settings of a connection. Nothing of the deadlines is among the start-up parameters: PgBouncer refuses those. */
export function clientConfig(url: string, name: string, deadlines: Deadlines): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: name,
    connectionTimeoutMillis: deadlines.connectMs,
    query_timeout: deadlines.answerMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
  };
}

/** Settings of a pool of such connections. */
export function poolConfig(url: string, max: number, name: string, deadlines: Deadlines): pg.PoolConfig {
  return {
    ...clientConfig(url, name, deadlines),
    max,
    Client: DeadlineClient,
    onConnect: (client) => prepare(client, deadlines),
  };
}

/** Tells the server the deadlines of a fresh connection, and asks which process serves it. */
export async function prepare(
  client: pg.ClientBase,
  deadlines: Deadlines,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  const settings = {
    lock_timeout: String(deadlines.lockMs),
    statement_timeout: String(deadlines.statementMs),
    idle_in_transaction_session_timeout: String(deadlines.idleInTransactionMs),
    ...more,
  };
  const { rows } = await client.query(
    `select pg_backend_pid() as pid, ${Object.entries(settings)
      .map(([name, value]) => `set_config('${name}', '${value}', false)`)
      .join(', ')}`,
  );
  if (client instanceof DeadlineClient) client.backend = backendRow.parse(rows)[0].pid;
}

const backendRow = z.tuple([z.object({ pid: z.number() })]);
