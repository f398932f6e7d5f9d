import type { ClientConfig, Pool, QueryConfig, QueryResultRow } from 'pg';
import type { NewEvent, Position, StoredEvent } from '../../events/stored-event.js';
import { checkAppend, checkPageSize, isRevision } from '../append-rules.js';
import { EventStoreUnavailableError } from '../errors.js';
import type {
  AppendResult,
  ExpectedRevision,
  LogTarget,
  Page,
  PageAfterEvent,
  StreamAppend,
} from '../event-store.js';
import type { KeysAnswer } from '../stream-keys.js';
import { wholeStream } from '../stream-pages.js';
import { AppendQueue } from './append-queue.js';
import type { Append } from './append-statement.js';
import { AppendWriter } from './append-writer.js';
import { KeysQueue } from './keys-queue.js';
import { type KeyedRow, keysOfRows, keysStatement } from './keys-statement.js';
import { ListenNotifier } from './listen-notifier.js';
import { orderedBatches } from './ordered-batches.js';
import { runStatement, type StatementLimits } from './pg-session.js';

/** Settings of the store, apart from its pool. */
export interface PostgresEventStoreOptions {
  /** Connection of the notifier's own session; never through a transaction pooler. */
  readonly session: ClientConfig;
  /** Receives faults that harm no call: a lost session of the notifier, an idle connection that broke, a listener that threw. */
  readonly onFault: (fault: Error) => void;
  /** Milliseconds and sizes; the defaults fit production. */
  readonly limits?: Partial<PostgresEventStoreLimits>;
}

/** `connectMs`, `answerMs` are per statement, `callMs` per append (waiting its turn included); all in milliseconds. */
export interface PostgresEventStoreLimits extends StatementLimits {
  readonly callMs: number;
  readonly statementsInFlight: number;
  readonly appendsPerStatement: number;
}

const DEFAULT_LIMITS: PostgresEventStoreLimits = {
  connectMs: 3_000,
  answerMs: 6_000,
  callMs: 10_000,
  // Statements follow one another on the log's head row: a second one would only wait, with fewer appends in each.
  statementsInFlight: 1,
  appendsPerStatement: 64,
};

/** Bytes of data and metadata (about) after which a statement takes no further append. */
const WEIGHT_PER_STATEMENT = 2 * 1_048_576;

/** Events after which a statement that brings in a log takes no further one. */
const EVENTS_PER_STATEMENT = 500;

const POSITION = /^\d{1,18}$/;
const COLUMNS = 'position::text AS position, stream, revision::float8 AS revision, id, type, data, metadata';
// Ordered by the column, which has an index, and not by what is shown of it under the same name.
const READ = `SELECT ${COLUMNS} FROM tenure_log.event AS e WHERE e.stream = $1 AND e.revision >= $2 ORDER BY e.revision LIMIT $3`;
const READ_LAST = `SELECT ${COLUMNS} FROM tenure_log.event AS e WHERE e.stream = $1 ORDER BY e.revision DESC LIMIT 1`;
const READ_ALL = `SELECT ${COLUMNS} FROM tenure_log.event AS e WHERE e.position > $1 ORDER BY e.position LIMIT $2`;
const READ_FROM = `SELECT ${COLUMNS} FROM tenure_log.event AS e WHERE e.position >= $1 ORDER BY e.position LIMIT $2`;
const ID_AT = 'SELECT id FROM tenure_log.event WHERE position = $1';
const EVENT_AT = `SELECT ${COLUMNS} FROM tenure_log.event WHERE position = $1`;
const EVENTS_AT = `SELECT ${COLUMNS} FROM tenure_log.event AS e WHERE e.position = ANY ($1::bigint[]) ORDER BY e.position`;
const HEAD = `SELECT max(position)::text AS position FROM tenure_log.event`;

/**
 * The log in PostgreSQL. Positions are dense and become visible in order, so a reader needs no more than the last
 * position it saw. The pool stays its owner's; see `eventStorePoolConfig` for the settings it should have.
 */
export class PostgresEventStore implements LogTarget {
  private readonly limits: PostgresEventStoreLimits;
  private readonly writer: AppendWriter;
  private readonly queue: AppendQueue;
  private readonly notifier: ListenNotifier;
  /** By the types whose keys are enough. */
  private readonly keys = new Map<ReadonlySet<string>, KeysQueue>();

  constructor(
    private readonly pool: Pool,
    options: PostgresEventStoreOptions,
  ) {
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.notifier = new ListenNotifier(options.session, options.onFault);
    this.writer = new AppendWriter(pool, this.limits);
    this.queue = new AppendQueue((batch) => this.writeAndRing(batch), {
      ...this.limits,
      weightPerStatement: WEIGHT_PER_STATEMENT,
    });
    // Stays after `close()`: the pool lives on, and an idle connection that breaks without a listener would end the process.
    if (!pool.listeners('error').includes(options.onFault)) pool.on('error', options.onFault);
  }

  async append(
    stream: string,
    expected: ExpectedRevision,
    events: readonly NewEvent[],
  ): Promise<AppendResult> {
    return this.queue.add(checked({ stream, expected, events }));
  }

  async appendInOrder(appends: readonly StreamAppend[]): Promise<void> {
    const sizes = { events: EVENTS_PER_STATEMENT, weight: WEIGHT_PER_STATEMENT };
    for (const batch of orderedBatches(appends.map(checked), sizes)) {
      await this.writer.writeInOrder(batch);
      this.notifier.appended();
    }
  }

  async read(stream: string, from: number): Promise<readonly StoredEvent[]> {
    return wholeStream(this, stream, from);
  }

  async readPage(stream: string, from: number, limit: number): Promise<readonly StoredEvent[]> {
    if (!isRevision(from)) throw new RangeError(`${from} is no revision`);
    checkPageSize(limit);
    return this.query<StoredEvent>({ name: 'tenure_log_read', text: READ, values: [stream, from, limit] });
  }

  async readLast(stream: string): Promise<StoredEvent | null> {
    const rows = await this.query<StoredEvent>({
      name: 'tenure_log_read_last',
      text: READ_LAST,
      values: [stream],
    });
    return rows[0] ?? null;
  }

  readKeys(stream: string, types: ReadonlySet<string>): Promise<KeysAnswer> {
    const queue = this.keys.get(types) ?? new KeysQueue((streams) => this.keysOf(streams, types));
    this.keys.set(types, queue);
    return queue.ask(stream);
  }

  async readAll(after: Position | null, limit: number): Promise<Page> {
    if (after !== null && !POSITION.test(after)) throw new RangeError(`${after} is no position of this log`);
    checkPageSize(limit);
    const events = await this.query<StoredEvent>({
      name: 'tenure_log_read_all',
      text: READ_ALL,
      values: [after ?? '0', limit],
    });
    return { events, scanned: events.at(-1)?.position ?? after };
  }

  async readAfterEvent(position: Position, limit: number): Promise<PageAfterEvent> {
    if (!POSITION.test(position)) throw new RangeError(`${position} is no position of this log`);
    checkPageSize(limit);
    const found = await this.query<StoredEvent>({
      name: 'tenure_log_read_from',
      text: READ_FROM,
      values: [position, limit + 1],
    });
    const [first] = found;
    const eventId = first?.position === position ? first.id : null;
    const events = eventId === null ? found.slice(0, limit) : found.slice(1);
    return { eventId, events, scanned: events.at(-1)?.position ?? position };
  }

  async head(): Promise<Position | null> {
    const rows = await this.query<{ position: string | null }>({
      name: 'tenure_log_head',
      text: HEAD,
      values: [],
    });
    return rows[0]?.position ?? null;
  }

  async eventIdAt(position: Position): Promise<string | null> {
    if (!POSITION.test(position)) return null;
    const [found] = await this.query<{ id: string }>({
      name: 'tenure_log_id_at',
      text: ID_AT,
      values: [position],
    });
    return found?.id ?? null;
  }

  async eventAt(position: Position): Promise<StoredEvent | null> {
    if (!POSITION.test(position)) return null;
    const [found] = await this.query<StoredEvent>({
      name: 'tenure_log_event_at',
      text: EVENT_AT,
      values: [position],
    });
    return found ?? null;
  }

  async eventsAt(positions: readonly Position[]): Promise<readonly StoredEvent[]> {
    const values = [positions.filter((position) => POSITION.test(position))];
    return this.query<StoredEvent>({ name: 'tenure_log_events_at', text: EVENTS_AT, values });
  }

  onAppend(notify: () => void): () => void {
    return this.notifier.listen(notify);
  }

  /** Settles the appends under way, then ends the notifier's session. The pool is left to its owner. */
  async close(): Promise<void> {
    await this.queue.close();
    await this.notifier.close();
  }

  private async keysOf(
    streams: readonly string[],
    types: ReadonlySet<string>,
  ): Promise<readonly KeysAnswer[]> {
    return keysOfRows(streams, await this.query<KeyedRow>(keysStatement(streams)), types);
  }

  private async writeAndRing(batch: readonly Append[]) {
    const outcomes = await this.writer.write(batch);
    if (outcomes.some((outcome) => outcome.kind === 'done')) this.notifier.appended();
    return outcomes;
  }

  /** @throws EventStoreUnavailableError when the database gave no answer or was in no state to */
  private async query<R extends QueryResultRow>(statement: QueryConfig<unknown[]>): Promise<readonly R[]> {
    const outcome = await runStatement<R>(this.pool, statement, this.limits);
    if (outcome.kind === 'answered') return outcome.rows;
    throw unreadable(outcome.cause);
  }
}

function unreadable(cause: Error): EventStoreUnavailableError {
  return new EventStoreUnavailableError(`the log cannot be read: ${cause.message}`, { cause });
}

/** An append as statements take it. @throws InvalidEventError, EventTooLargeError; RangeError for what is no revision */
function checked({ stream, expected, events }: StreamAppend): Append {
  const bytes = checkAppend(stream, expected, events);
  const weight = events.reduce((sum, event) => sum + event.metadata.length, bytes);
  return { stream, expected: expected === 'no_stream' ? -1 : expected, events, weight };
}
