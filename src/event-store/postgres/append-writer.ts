import type { Pool, QueryConfig } from 'pg';
import { isServerTrouble } from '../../database/transient.js';
import {
  type EventStoreError,
  EventStoreUnavailableError,
  InvalidEventError,
  OutcomeUnknownError,
  WrongExpectedRevisionError,
} from '../errors.js';
import type { AppendResult } from '../event-store.js';
import {
  type Append,
  appendStatement,
  type CompareRow,
  compareStatement,
  type LandedRow,
  type OrderedBatch,
  orderedStatement,
} from './append-statement.js';
import { runStatement, type StatementLimits } from './pg-session.js';

/** What became of one append. */
export type AppendOutcome =
  | { readonly kind: 'done'; readonly result: AppendResult }
  | { readonly kind: 'failed'; readonly error: Error };

/** Times a statement that met a deadlock or a serialisation failure is sent again before it is split. */
const MAX_RETRIES = 5;

/** Sends batches of appends to the database and says for each append what became of it. */
export class AppendWriter {
  constructor(
    private readonly pool: Pool,
    private readonly limits: StatementLimits,
  ) {}

  /** One outcome for each append, in the order given; never rejects for what a database can do. */
  async write(batch: readonly Append[]): Promise<readonly AppendOutcome[]> {
    const written = await this.writeTogether(batch, appendStatement(batch));
    if (!(written instanceof Error)) return written;
    return batch.length > 1 ? this.writeOneByOne(batch) : allFailed(batch, written);
  }

  /**
   * Writes appends whose events have an order of their own: all of them or none, but for those at a wrong revision.
   * @throws the errors of `EventStore.append`
   */
  async writeInOrder(batch: OrderedBatch): Promise<void> {
    const written = await this.writeTogether(batch.appends, orderedStatement(batch));
    if (written instanceof Error) throw written;
    const lost = written.find((outcome) => outcome.kind === 'failed');
    if (lost !== undefined) throw lost.error;
  }

  /** Sends a batch in one statement; what the database refuses, it refuses as a whole, for the reason that is answered. */
  private async writeTogether(
    batch: readonly Append[],
    statement: QueryConfig<unknown[]>,
  ): Promise<readonly AppendOutcome[] | Error> {
    for (let attempt = 0; ; attempt += 1) {
      const sent = await runStatement<LandedRow>(this.pool, statement, this.limits);
      switch (sent.kind) {
        case 'answered':
          return this.settle(batch, sent.rows);
        case 'not_sent':
          return allFailed(batch, unavailable('no database connection', sent.cause));
        case 'lost':
          return allFailed(batch, unknown(sent.cause));
        case 'refused':
          if (isCollision(sent.sqlState) && attempt < MAX_RETRIES) continue;
          if (isServerTrouble(sent.sqlState)) {
            return allFailed(batch, unavailable('the database refused to write', sent.cause));
          }
          return refusal(sent.sqlState, sent.cause);
      }
    }
  }

  /** Appends one by one, after a refusal that names no culprit, so that only the faulty one fails. */
  private async writeOneByOne(batch: readonly Append[]): Promise<readonly AppendOutcome[]> {
    const outcomes: AppendOutcome[] = [];
    for (const append of batch) outcomes.push(...(await this.write([append])));
    return outcomes;
  }

  private async settle(
    batch: readonly Append[],
    rows: readonly LandedRow[],
  ): Promise<readonly AppendOutcome[]> {
    const landed = new Map(rows.map((row) => [row.nr, row.position]));
    const left = batch.filter((_, index) => !landed.has(index + 1));
    const compared = left.length === 0 ? [] : await this.compare(left);
    const outcomeOfLeft = new Map(left.map((append, index) => [append, compared[index]]));
    return batch.map((append, index) => {
      const position = landed.get(index + 1);
      if (position !== undefined) return done(append, position);
      return outcomeOfLeft.get(append) ?? failed(new Error(`append to ${append.stream} got no answer`));
    });
  }

  /** Appends at a wrong revision: a repeat of what stands there succeeds with the original's numbers. */
  private async compare(appends: readonly Append[]): Promise<readonly AppendOutcome[]> {
    const found = await runStatement<CompareRow>(this.pool, compareStatement(appends), this.limits);
    switch (found.kind) {
      case 'answered': {
        const rowsOf: CompareRow[][] = appends.map(() => []);
        for (const row of found.rows) rowsOf[row.nr - 1]?.push(row);
        return appends.map((append, index) => compareOne(append, rowsOf[index] ?? []));
      }
      // The append has not landed now, but it may be a repeat of one that did: the caller has to ask again.
      case 'not_sent':
      case 'lost':
      case 'refused':
        return allFailed(appends, unknown(found.cause));
    }
  }
}

function compareOne(append: Append, rows: readonly CompareRow[]): AppendOutcome {
  const last = rows[append.events.length - 1];
  const same = append.events.every((event, index) => rows[index]?.id === event.id.toLowerCase());
  if (same && last !== undefined && last.position !== null) return done(append, last.position);
  const expected = append.expected === -1 ? 'no_stream' : append.expected;
  return failed(new WrongExpectedRevisionError(append.stream, expected, rows[0]?.actual ?? null));
}

function done(append: Append, position: string): AppendOutcome {
  return { kind: 'done', result: { revision: append.expected + append.events.length, position } };
}

function failed(error: Error): AppendOutcome {
  return { kind: 'failed', error };
}

function allFailed(batch: readonly Append[], error: Error): readonly AppendOutcome[] {
  return batch.map(() => failed(error));
}

function unavailable(what: string, cause: Error): EventStoreError {
  return new EventStoreUnavailableError(`${what}: ${cause.message}`, { cause });
}

function unknown(cause: Error): EventStoreError {
  return new OutcomeUnknownError(`the append may have landed: ${cause.message}`, { cause });
}

/**
 * Deadlock or serialisation failure (PostgreSQL manual, appendix A, class 40): nothing landed, sending again helps. Where
 * the server's default isolation is stricter than READ COMMITTED, taken positions show as a unique violation (23505).
 */
function isCollision(sqlState: string): boolean {
  return sqlState.startsWith('40') || sqlState === '23505';
}

/** Data exceptions, broken constraints and exceeded limits are the append's own fault; the rest is a fault of ours. */
function refusal(sqlState: string, cause: Error): Error {
  return ['22', '23', '54'].some((group) => sqlState.startsWith(group))
    ? new InvalidEventError(`the database does not take the append: ${cause.message}`, { cause })
    : cause;
}
