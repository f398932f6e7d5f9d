import pg from 'pg';
import { z } from 'zod';
import { isNoAnswer } from './transient.js';

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

/** For everything that somebody waits for, and for folding. */
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
  connectMs: 3_000,
  lockMs: 3_600_000,
  statementMs: 3_600_000,
  answerMs: 3_610_000,
  idleInTransactionMs: 300_000,
};

/** For sessions that hold a lock or listen, and ask for next to nothing. */
export const SESSION: Deadlines = { ...SHORT, statementMs: 3_000, answerMs: 5_000 };

/** How long a connection may take to say goodbye before it is cut, in milliseconds. */
const GOODBYE_MS = 500;

/** A connection that ends in time whatever the network does, and knows whether it waits for an answer. */
export class DeadlineClient extends pg.Client {
  /** The server's process for it, once prepared: a pooler in between says another in its greeting. */
  backend: number | null = null;
  #answers = 0;
  #writtenThen = 0;

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
    return this.#written > this.#writtenThen ? this.#answers : null;
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

/**
 * A pool whose connections, statements and goodbyes end in time. `onFault` hears of idle connections that broke or were
 * thrown away: the pool makes new ones by itself.
 */
export function openPool(config: pg.PoolConfig, onFault: (error: Error) => void): pg.Pool {
  const pool = new pg.Pool(config);
  pool.on('error', onFault);
  throwAwayTogether(pool);
  return pool;
}

const openOf = new WeakMap<pg.Pool, ReadonlySet<DeadlineClient>>();

/** Breaks off every connection of a pool from `openPool`, whatever they are used for: who waits on one is told `why`. */
export function cutPool(pool: pg.Pool, why: Error): void {
  for (const client of openOf.get(pool) ?? []) client.cut(why);
}

/**
 * Where one connection gave no answer in time, the idle ones that were not heard of since before its question are thrown
 * away with it, so that a network that was silent costs one time-out, not one for each connection. A connection that is
 * given back while it still waits for an answer is never used again.
 */
export function throwAwayTogether(pool: pg.Pool): void {
  const open = new Set<DeadlineClient>();
  openOf.set(pool, open);
  pool.on('connect', (client) => {
    if (client instanceof DeadlineClient) open.add(client);
  });
  pool.on('remove', (client) => {
    if (client instanceof DeadlineClient) open.delete(client);
  });
  const idleSince = new Map<pg.PoolClient, number>();
  pool.on('acquire', (client) => idleSince.delete(client));
  pool.on('remove', (client) => idleSince.delete(client));
  pool.on('release', (given, client) => {
    const isLeftWaiting = client instanceof DeadlineClient && client.awaitedAnswer !== null;
    if (isLeftWaiting) void client.end(); // the pool sees that it ends, and forgets it
    const fault: unknown = given; // nothing, or what failed, or `true`: to be thrown away
    if (!fault && !isLeftWaiting) idleSince.set(client, performance.now());
    else if (fault instanceof Error ? isNoAnswer(fault) : !fault) {
      const before = performance.now() - SHORT.answerMs;
      for (const [idle, since] of idleSince) {
        if (since < before && idle instanceof DeadlineClient)
          idle.cut(new Error('thrown away with one that is silent'));
      }
    }
  });
}

/** How often long statements are looked after, in milliseconds. */
const LOOK_EVERY_MS = 2_000;
/** So many looks in a row must find a statement lost, or nobody to ask. */
const STRIKES = 2;
const runningRows = z.array(z.object({ pid: z.number(), state: z.string().nullable() }));

/**
 * Looks after connections with `LONG` deadlines: over a fresh connection it asks whether the server still works on what
 * they wait for. Where it does not, its answer was lost; where nobody answers twice, the network is silent. They are cut
 * then, within seconds, however long a statement may take.
 */
export class LongWatch {
  readonly #clients = new Map<DeadlineClient, { answers: number | null; strikes: number }>();
  #timer: NodeJS.Timeout | null = null;
  #isLooking = false;

  constructor(private readonly url: string) {}

  /** Looks after a connection until it ends. */
  add(client: pg.ClientBase): void {
    if (!(client instanceof DeadlineClient)) return;
    this.#clients.set(client, { answers: null, strikes: 0 });
    client.once('end', () => this.#remove(client));
    this.#timer ??= setInterval(() => void this.#look(), LOOK_EVERY_MS).unref();
  }

  #remove(client: DeadlineClient): void {
    this.#clients.delete(client);
    if (this.#clients.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const waiting = [...this.#clients].filter(([client, seen]) => {
      const answers = client.awaitedAnswer;
      const isSame = answers !== null && answers === seen.answers;
      if (!isSame) seen.strikes = 0;
      seen.answers = answers;
      return isSame;
    });
    if (waiting.length > 0) {
      const running = await this.#runningOf(waiting.flatMap(([{ backend }]) => backend ?? []));
      for (const [client, seen] of waiting) {
        if (client.awaitedAnswer !== seen.answers) continue;
        const isRunning = running !== null && (client.backend === null || running.has(client.backend));
        seen.strikes = isRunning ? 0 : seen.strikes + 1;
        if (seen.strikes < STRIKES) continue;
        client.cut(new Error(`no answer from the database within ${STRIKES} looks at what it does`));
      }
    }
    this.#isLooking = false;
  }

  /** Which of the server's processes work on something; `null` when nobody says. */
  async #runningOf(backends: readonly number[]): Promise<ReadonlySet<number> | null> {
    const client = new DeadlineClient(clientConfig(this.url, 'tenure-watch', SESSION));
    client.on('error', () => undefined); // told by the call that meets it
    try {
      await client.connect();
      const { rows } = await client.query('select pid, state from pg_stat_activity where pid = any($1)', [
        backends,
      ]);
      const idle = (state: string | null): boolean => state?.startsWith('idle') === true;
      return new Set(
        runningRows
          .parse(rows)
          .filter(({ state }) => !idle(state))
          .map(({ pid }) => pid),
      );
    } catch {
      return null; // whatever is in the way, nobody says; those who need a connection meet it and tell
    } finally {
      await client.end();
    }
  }
}

/** A pool for what may take long: see `LONG` and `LongWatch`. */
export function openLongPool(
  url: string,
  max: number,
  name: string,
  onFault: (error: Error) => void,
): pg.Pool {
  const watch = new LongWatch(url);
  return openPool(longPoolConfig(url, max, name, watch), onFault);
}

/** Settings of such a pool, whose connections `watch` looks after. */
export function longPoolConfig(url: string, max: number, name: string, watch: LongWatch): pg.PoolConfig {
  return {
    ...poolConfig(url, max, name, LONG),
    onConnect: async (client) => {
      await prepare(client, LONG);
      watch.add(client);
    },
  };
}
