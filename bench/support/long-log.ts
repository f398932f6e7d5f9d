import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchContext } from './bench-context.js';
import { EVENTS_OF_A_USER, type FilledService, fillUsers } from './fill-users.js';
import { startService } from './service-process.js';

/** A service whose log is long and folded; `began` is when its lives did, in Unix milliseconds. */
export interface LongLog extends FilledService {
  readonly databaseUrl: string;
  readonly users: number;
  readonly began: number;
}

/** Services with long logs, each with a database of its own: works that ask for as many events share one. */
export class LongLogs {
  readonly #byUsers = new Map<number, Promise<LongLog>>();
  readonly #stops: (() => Promise<void>)[] = [];

  constructor(private readonly context: Pick<BenchContext, 'database' | 'secret' | 'adminKey'>) {}

  /** The one with so many events, filled when it is asked for first. */
  of(events: number): Promise<LongLog> {
    const users = Math.ceil(events / EVENTS_OF_A_USER);
    const known = this.#byUsers.get(users) ?? this.#fill(users);
    this.#byUsers.set(users, known);
    return known;
  }

  /** Stops all services. */
  async stop(): Promise<void> {
    for (const stop of this.#stops.reverse()) await stop();
  }

  async #fill(users: number): Promise<LongLog> {
    const { database, secret, adminKey } = this.context;
    const databaseUrl = await database.create(`long_log_${users}`);
    const logFile = join(tmpdir(), `tenure-bench-${process.pid}-long-log-${users}.log`);
    const { port, stop } = await startService({ databaseUrl, secret, adminKey, log: {}, logFile });
    this.#stops.push(stop);
    const service = { port, headers: { authorization: `Bearer ${adminKey}` } };
    const began = Date.now();
    await fillUsers(service, databaseUrl, { users, begin: 'now' });
    return { ...service, databaseUrl, users, began };
  }
}
