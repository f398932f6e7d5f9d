import type pg from 'pg';
import { z } from 'zod';
import { clientConfig, DeadlineClient, LONG, poolConfig, prepare, SESSION } from './deadlines.js';
import { openPool } from './pools.js';

/** How often long statements are looked after, in milliseconds. */
const LOOK_EVERY_MS = 2_000;
/** Looks in a row that must find a statement lost, or nobody to ask. */
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
