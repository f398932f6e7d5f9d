import type { PoolClient, QueryConfig, QueryResult } from 'pg';
import { DeadlineClient } from './deadlines.js';

/**
 * Statements that are sent to one connection without waiting for the answers in between, where the connection was opened
 * with `pipeline`; on any other the next one waits for the one before it. Each is a statement of its own to the server
 * (PostgreSQL, "Pipeline Mode", with a synchronisation after each), so they belong into a transaction that was begun: there
 * whatever comes after one that failed is refused.
 */
export class Flight {
  readonly #answers: Promise<QueryResult>[] = [];

  constructor(private readonly client: PoolClient) {}

  /** Sends one more. @throws where the one before is waited for, and failed */
  async send(statement: string | QueryConfig): Promise<void> {
    if (this.client instanceof DeadlineClient && this.client.pipeline) this.client.gather();
    else await this.#answers.at(-1);
    const answer = this.client.query(statement);
    answer.catch(() => undefined); // heard of by `landed`
    this.#answers.push(answer);
  }

  /** Waits until all are answered; gives the last answer. @throws what the first of those threw that failed */
  async landed(): Promise<QueryResult | undefined> {
    const settled = await Promise.allSettled(this.#answers);
    const failed = settled.find((answer) => answer.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return this.#answers.at(-1);
  }
}
