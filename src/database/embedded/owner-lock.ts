import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { z } from 'zod';
import { EmbeddedPostgresError } from '../errors.js';
import { isTransient } from '../transient.js';
import type { Postmaster } from './postmaster.js';
import { isAlive, ROLE } from './server-cluster.js';
import { errorCode } from './server-identity.js';

/** Two integers nobody else uses: "tnre", and the number of the lock. */
const LOCK_KEYS = [0x746e7265, 1];
const POLL_MS = 20;
const NAME = /^tenure owner (\d+)$/;

const WRONG_PASSWORD = '28P01';

const lockedSchema = z.tuple([z.object({ locked: z.boolean() })]);
const holderSchema = z.array(z.object({ application_name: z.string() }));

/**
 * The right to a data folder: an advisory lock of one session inside the server that serves it. PostgreSQL lets go of
 * it the moment the session's process is gone, and lets one server alone run on a folder, so it needs no clean-up.
 */
export class OwnerLock {
  #client: pg.Client | undefined;
  #released = false;

  private constructor(
    private readonly postmaster: Postmaster,
    client: pg.Client,
  ) {
    this.#keep(client);
  }

  /**
   * Waits until the server answers and asks for the lock. `{ heldBy }`: another living process has it (`null`: which,
   * it does not say). `'gone'`: the server ended before it answered.
   */
  static async take(
    postmaster: Postmaster,
  ): Promise<OwnerLock | { readonly heldBy: number | null } | 'gone'> {
    for (;;) {
      const client = await connect(postmaster);
      if (client === 'gone') return 'gone';
      const answer = await lockOn(client).catch(async (error: unknown) => {
        await client.end().catch(() => undefined); // the session is lost already
        if (!isTransient(error)) throw error;
        return null;
      });
      if (answer === null) continue; // the server ended in between: whether it comes back, `connect` sees
      if (answer === 'locked') return new OwnerLock(postmaster, client);
      await client.end();
      // A killed holder's session lasts until the server notices, which is soon.
      if (answer.heldBy === null || isAlive(answer.heldBy)) return answer;
      await pause(POLL_MS);
    }
  }

  /** Makes the service's database when it is missing. */
  async createDatabase(): Promise<void> {
    const found = await this.#client?.query('select 1 from pg_database where datname = $1', [ROLE]);
    if (found?.rowCount === 0) await this.#client?.query(`create database ${ROLE}`);
  }

  async release(): Promise<void> {
    this.#released = true;
    await this.#client?.end();
  }

  /** PostgreSQL ends all sessions when one of its processes crashes, and goes on: then the lock is taken again. */
  #keep(client: pg.Client): void {
    this.#client = client;
    client.on('error', () => undefined); // 'end' follows
    client.once('end', () => {
      if (!this.#released) void this.#retake();
    });
  }

  /** Tries until it has the lock again, or the server is gone: its owner learns that from the process. */
  async #retake(): Promise<void> {
    while (!this.#released) {
      try {
        const client = await connect(this.postmaster);
        if (client === 'gone') return;
        if ((await lockOn(client)) === 'locked' && !this.#released) return this.#keep(client);
        await client.end();
      } catch (error) {
        if (!isTransient(error)) return; // somebody changed the server by hand; whoever starts next will be told
      }
      await pause(POLL_MS);
    }
  }
}

async function connect(postmaster: Postmaster): Promise<pg.Client | 'gone'> {
  for (;;) {
    const client = new pg.Client({
      ...postmaster.address,
      database: 'postgres',
      application_name: `tenure owner ${process.pid}`,
      connectionTimeoutMillis: 5_000,
    });
    try {
      await client.connect();
      return client;
    } catch (error) {
      await client.end().catch(() => undefined);
      if (errorCode(error) === WRONG_PASSWORD) {
        throw new EmbeddedPostgresError(
          'the server on this data folder does not take its password: was it changed by hand?',
        );
      }
      if (!(await postmaster.isRunning())) return 'gone';
      if (!isTransient(error)) throw error;
    }
    await pause(POLL_MS);
  }
}

async function lockOn(client: pg.Client): Promise<'locked' | { readonly heldBy: number | null }> {
  const asked = await client.query('select pg_try_advisory_lock($1, $2) as locked', LOCK_KEYS);
  if (lockedSchema.parse(asked.rows)[0].locked) return 'locked';
  const found = await client.query(
    `select a.application_name from pg_locks l join pg_stat_activity a using (pid)
      where l.locktype = 'advisory' and l.granted and l.classid = $1 and l.objid = $2 and l.objsubid = 2`,
    LOCK_KEYS,
  );
  const pid = NAME.exec(holderSchema.parse(found.rows)[0]?.application_name ?? '')?.[1];
  return { heldBy: pid === undefined ? null : Number(pid) };
}
