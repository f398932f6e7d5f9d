import type streams from '@eventstore/db-client/generated/streams_pb.js';
import { parseConnectionString } from '../../config/connection-string.js';
import type { NewEvent, Position, StoredEvent } from '../../events/stored-event.js';
import { checkAppend, checkPageSize, isRevision } from '../append-rules.js';
import { OutcomeUnknownError, StreamDeletedError, WrongExpectedRevisionError } from '../errors.js';
import type {
  AppendResult,
  ExpectedRevision,
  LogTarget,
  Page,
  PageAfterEvent,
  StreamAppend,
} from '../event-store.js';
import { type KeysAnswer, keysOfEvents, MOST_KEYS } from '../stream-keys.js';
import { wholeStream } from '../stream-pages.js';
import { CallGate } from './call-gate.js';
import { appendFault, kindOf, readFault } from './faults.js';
import { LogClient } from './log-client.js';
import { LogReader } from './log-reader.js';
import { SubscriptionNotifier } from './subscription-notifier.js';
import { appendAnswerOf, appendRequests, eventOf, lastOfStreamRequest, streamRequest } from './wire.js';

/** Milliseconds and numbers; the defaults fit production. */
export interface EventStoreDbLimits {
  /** Deadline of an append in all, its turn and its channel included. */
  readonly appendMs: number;
  /** Deadline of one read of a bounded number of events, likewise. */
  readonly readMs: number;
  /** Calls at once; together with the subscription well under the 100 streams of a connection. */
  readonly appendsAtOnce: number;
  readonly readsAtOnce: number;
}

export interface EventStoreDbOptions {
  /** `esdb://…`; see `parseConnectionString`. */
  readonly url: string;
  /** What the names of our streams begin with; all others are skipped. */
  readonly streamPrefix: string;
  /** Receives faults that harm no call: a lost subscription, a listener that threw. */
  readonly onFault: (fault: unknown) => void;
  readonly limits?: Partial<EventStoreDbLimits>;
}

const DEFAULT_LIMITS: EventStoreDbLimits = {
  appendMs: 5_000,
  readMs: 8_000,
  appendsAtOnce: 56,
  readsAtOnce: 16,
};

const POSITION = /^\d{1,19}$/;

/** An append is tried once more where the first try reached a node that is not the leader. */
const TRIES_WITH_LEADER = 2;

/**
 * The log in EventStoreDB (KurrentDB): the whole of `$all` that is in streams with our prefix. One client for the process,
 * closed last. Positions are commit positions: byte offsets, neither dense nor counting anything.
 */
export class EventStoreDbEventStore implements LogTarget {
  readonly #client: LogClient;
  readonly #limits: EventStoreDbLimits;
  readonly #appends: CallGate;
  readonly #reads: CallGate;
  readonly #log: LogReader;
  readonly #notifier: SubscriptionNotifier;
  readonly #underWay = new Set<Promise<unknown>>();

  /** Connects with the first call. @throws InvalidConnectionStringError */
  constructor(options: EventStoreDbOptions) {
    const settings = parseConnectionString(options.url);
    const deadline = settings.defaultDeadline;
    this.#limits = {
      ...DEFAULT_LIMITS,
      ...(deadline === null ? {} : { appendMs: deadline, readMs: deadline }),
      ...options.limits,
    };
    this.#client = new LogClient(settings, options.onFault);
    this.#appends = new CallGate(this.#limits.appendsAtOnce);
    this.#reads = new CallGate(this.#limits.readsAtOnce);
    this.#log = new LogReader((request, what) => this.#read(request, what), options.streamPrefix);
    this.#notifier = new SubscriptionNotifier(this.#client, options.streamPrefix, options.onFault);
  }

  async append(
    stream: string,
    expected: ExpectedRevision,
    events: readonly NewEvent[],
  ): Promise<AppendResult> {
    checkAppend(stream, expected, events);
    const appending = this.#append(stream, expected, appendRequests(stream, expected, events));
    const answer = await this.#hold(appending);
    if (answer.kind === 'wrong_revision')
      throw new WrongExpectedRevisionError(stream, expected, answer.actual);
    if (answer.kind === 'empty' || answer.position === null) {
      throw new OutcomeUnknownError(`the append to ${stream} was answered without a position`);
    }
    // Counted, not taken from the answer; both are equal, for a repeat too, unless the stream had been deleted and goes on.
    const revision = (expected === 'no_stream' ? -1 : expected) + events.length;
    if (answer.revision !== revision) {
      throw new StreamDeletedError(
        `${stream} was deleted in the event store and goes on at ${answer.revision}`,
      );
    }
    const last = events.at(-1);
    if (last !== undefined) this.#log.noteOurs({ position: answer.position, id: last.id.toLowerCase() });
    this.#notifier.notify();
    return { revision, position: answer.position };
  }

  /** One call after the other: calls that are under way together may land in any order. */
  async appendInOrder(appends: readonly StreamAppend[]): Promise<void> {
    for (const { stream, expected, events } of appends) await this.append(stream, expected, events);
  }

  async read(stream: string, from: number): Promise<readonly StoredEvent[]> {
    return wholeStream(this, stream, from);
  }

  async readPage(stream: string, from: number, limit: number): Promise<readonly StoredEvent[]> {
    if (!isRevision(from)) throw new RangeError(`${from} is no revision`);
    checkPageSize(limit);
    const page = await this.#read(streamRequest(stream, from, limit), stream);
    const [first] = page;
    if (first !== undefined && first.revision !== from) {
      throw new StreamDeletedError(`${stream} has lost what was before revision ${first.revision}`);
    }
    return page;
  }

  async readLast(stream: string): Promise<StoredEvent | null> {
    const [last = null] = await this.#read(lastOfStreamRequest(stream), stream);
    return last;
  }

  async readKeys(stream: string, types: ReadonlySet<string>): Promise<KeysAnswer> {
    return keysOfEvents(await this.readPage(stream, 0, MOST_KEYS + 1), types);
  }

  async readAll(after: Position | null, limit: number): Promise<Page> {
    if (after !== null && !POSITION.test(after)) throw new RangeError(`${after} is no position of this log`);
    checkPageSize(limit);
    return this.#log.page(after, limit);
  }

  async readAfterEvent(position: Position, limit: number): Promise<PageAfterEvent> {
    const [page, eventId] = await Promise.all([this.readAll(position, limit), this.eventIdAt(position)]);
    return { ...page, eventId };
  }

  head(): Promise<Position | null> {
    return this.#log.head();
  }

  async eventIdAt(position: Position): Promise<string | null> {
    return (await this.eventAt(position))?.id ?? null;
  }

  async eventAt(position: Position): Promise<StoredEvent | null> {
    return POSITION.test(position) ? this.#log.eventAt(position) : null;
  }

  onAppend(notify: () => void): () => void {
    return this.#notifier.listen(notify);
  }

  /** Ends the subscription, waits for the calls under way (each has its deadline), then ends the client. */
  async close(): Promise<void> {
    this.#notifier.close();
    await Promise.allSettled(this.#underWay);
    await this.#client.shutDown();
  }

  /** A node that is no longer the leader refused and said who is: the client goes there, and so does one more try. */
  async #append(stream: string, expected: ExpectedRevision, requests: readonly streams.AppendReq[]) {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#appends.run(this.#limits.appendMs, async (msLeft) =>
          appendAnswerOf(await this.#client.appendOnce(requests, msLeft)),
        );
      } catch (error) {
        if (kindOf(error) !== 'not_leader' || tries >= TRIES_WITH_LEADER) {
          throw appendFault(error, stream, expected);
        }
      }
    }
  }

  #read(request: streams.ReadReq, what: string): Promise<readonly StoredEvent[]> {
    return this.#hold(
      this.#reads
        .run(this.#limits.readMs, (msLeft) => this.#client.readOnce(request, eventOf, msLeft))
        .catch((error: unknown) => {
          throw readFault(error, what);
        }),
    );
  }

  /** Counts a call as under way, so that `close` can wait for it. */
  async #hold<T>(call: Promise<T>): Promise<T> {
    this.#underWay.add(call);
    try {
      return await call;
    } finally {
      this.#underWay.delete(call);
    }
  }
}
