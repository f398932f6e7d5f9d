import type { Pool } from 'pg';
import type { EventStore } from '../../event-store/event-store.js';
import { comparePositions, type Position, type StoredEvent } from '../../events/stored-event.js';
import { NoEventThereError } from '../errors.js';
import type { LogFilter } from './log-filter.js';
import { logLines } from './log-lines.js';
import { type EventPages, startingWith, streamsPages, wholeLogPages } from './log-source.js';
import { streamsOfUser } from './user-log-streams.js';

/** What is asked of the log: all of it, or of one stream or one user alone; of both only what is of both. */
export interface LogQuestion extends LogFilter {
  /** Goes on behind this event. */
  readonly cursor: Position | null;
  readonly stream: string | null;
  readonly user: string | null;
}

export interface AuditLogOptions {
  readonly store: Pick<EventStore, 'readAll' | 'readPage' | 'head' | 'eventAt'>;
  readonly pool: Pool;
  /** The setting `STREAM_PREFIX`. */
  readonly streamPrefix: string;
}

/** Reads the log for auditors, page by page through the port: between two pages nothing is held. */
export class AuditLog {
  constructor(private readonly options: AuditLogOptions) {}

  /**
   * The lines of what is asked for, up to where the log ends now; the last one says where to go on.
   * @param isStopping whether to end early
   * @throws NoEventThereError, and what the stores answer
   */
  async *lines(question: LogQuestion, isStopping: () => boolean): AsyncGenerator<string, void> {
    const { store } = this.options;
    const { cursor, to } = question;
    const [head, start] = await Promise.all([store.head(), this.#startOf(question)]);
    if (head === null) return;
    const end = to === null || comparePositions(head, to) < 0 ? head : to;
    const pages = await this.#pages(question, start, end);
    yield* logLines(pages, { ...question, to: end }, cursor, isStopping);
  }

  /** The event that the reading begins behind (`cursor`) or at (`from`); `null`: where the log begins. @throws NoEventThereError */
  async #startOf({ cursor, from }: LogQuestion): Promise<StoredEvent | null> {
    const start = cursor ?? from;
    if (start === null) return null;
    const found = await this.options.store.eventAt(start);
    if (found === null) throw new NoEventThereError(start);
    return found;
  }

  async #pages(
    { stream, user, cursor }: LogQuestion,
    start: StoredEvent | null,
    end: Position,
  ): Promise<EventPages> {
    const { store, pool, streamPrefix } = this.options;
    if (user !== null) {
      const ofUser = await streamsOfUser(pool, user, streamPrefix);
      const asked = stream === null ? ofUser : ofUser.filter((each) => each === stream);
      return streamsPages(store, asked, cursor);
    }
    if (stream !== null) return streamsPages(store, [stream], cursor);
    const behind = wholeLogPages(store, start?.position ?? null, end);
    return cursor === null && start !== null ? startingWith(start, behind) : behind;
  }
}
