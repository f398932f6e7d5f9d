import type { Pool, PoolClient } from 'pg';
import { inTransaction } from '../../database/in-transaction.js';
import { ProblemError } from '../../http/problem.js';
import { ConcurrencyLimit } from '../concurrency-limit.js';
import { checkoutInProgress, UserQueues } from './user-queues.js';

/** Locks that one instance holds or waits for at once: most connections of its pool stay for everybody else. */
const AT_ONCE = 8;
/** Requests of one user that an instance keeps: the one that has a place, and those that wait for it. */
const OF_ONE_USER = 8;
/** Requests that wait for one of these places. */
const MOST_WAITING = 100;
/** Milliseconds to wait for who holds the lock of the same user; then they are told to come again. */
const LOCK_MS = 2_500;
/** Milliseconds in which a holder must be heard of: longer than one request to Stripe may take. */
const IDLE_MS = 30_000;

/** Held by who buys or changes something of a user: nobody else does so at the same time, on any instance. */
export interface HeldLock {
  /** Makes sure that it is still held, before something is made at Stripe. @throws what the database answers where it is not */
  confirm(): Promise<void>;
}

/** A lock for each user in PostgreSQL. It ends with its transaction, so a process that dies leaves none behind. */
export class UserLocks {
  readonly #queues = new UserQueues({ atMost: OF_ONE_USER, waitMs: LOCK_MS });
  readonly #limit = new ConcurrencyLimit(AT_ONCE);
  #waiting = 0;

  constructor(private readonly pool: Pool) {}

  /** Does `work` while nobody else holds the lock of the user. @throws ProblemError `checkout_in_progress`, `too_many_requests` */
  async holding<T>(userId: string, work: (lock: HeldLock) => Promise<T>): Promise<T> {
    return this.#queues.run(userId, () => this.#inPlace(userId, work));
  }

  async #inPlace<T>(userId: string, work: (lock: HeldLock) => Promise<T>): Promise<T> {
    if (this.#waiting >= MOST_WAITING) {
      throw new ProblemError('too_many_requests', 'Too many buy at once. Try again.', { 'retry-after': '2' });
    }
    this.#waiting += 1;
    try {
      return await this.#limit.run(() =>
        inTransaction(this.pool, async (client) => {
          await take(client, userId);
          return work({ confirm: async () => void (await client.query('select 1')) });
        }),
      );
    } finally {
      this.#waiting -= 1;
    }
  }
}

async function take(client: PoolClient, userId: string): Promise<void> {
  await client.query(`set local idle_in_transaction_session_timeout = ${IDLE_MS}`);
  await client.query(`set local lock_timeout = ${LOCK_MS}`);
  try {
    await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`tenure buyer ${userId}`]);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === '55P03')) throw error;
    throw checkoutInProgress({ cause: error });
  }
}
