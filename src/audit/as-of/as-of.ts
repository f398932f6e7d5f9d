import type { Pool } from 'pg';
import type { EventStore } from '../../event-store/event-store.js';
import type { Position } from '../../events/stored-event.js';
import type { FoldingRules } from '../../projections/entitlements/folding-rules.js';
import { ReadModelNotReadyError } from '../../projections/read-models/served-row.js';
import { NotLevelError, RebuildNeededError } from '../errors.js';
import { CatalogHistory } from './catalog-history.js';
import { FoldTimes } from './fold-times.js';
import { type AsOf, type AsOfQuestion, UserAsOf, type UserAsOfOptions } from './user-as-of.js';
import { UserEventsReader } from './user-events.js';
import { readUserStreams, type UserStreams } from './user-streams.reader.js';

export interface AsOfReaderOptions {
  readonly pool: Pool;
  readonly store: EventStore;
  /** The setting `STREAM_PREFIX`. */
  readonly streamPrefix: string;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Waits until the read models show a position; whether they do in time. */
  readonly reach: (position: Position) => Promise<boolean>;
  /** Left out: those of this code. */
  readonly rules?: FoldingRules;
}

/** Answers what a user could do as of a moment, from that user's own events. */
export class AsOfReader {
  readonly #events: UserEventsReader;
  readonly #times: FoldTimes;
  readonly #catalogs: CatalogHistory;

  constructor(private readonly options: AsOfReaderOptions) {
    const { pool, store, streamPrefix } = options;
    this.#events = new UserEventsReader(store, streamPrefix);
    this.#times = new FoldTimes(pool, store);
    this.#catalogs = new CatalogHistory(store, streamPrefix);
  }

  /**
   * What a user could do, and what that is judged from.
   * @throws MomentAheadError, RebuildNeededError, NotLevelError, ReadModelNotReadyError, and what the stores answer
   */
  async asOf(userId: string, question: AsOfQuestion): Promise<AsOf> {
    const streams = await this.#streams(userId, question.knownAt);
    return this.#of(userId, streams, async () => streams.lastKept).asOf(question);
  }

  /**
   * What answers about one user for many moments, by what is folded now.
   * @throws RebuildNeededError, ReadModelNotReadyError, and what the stores answer
   */
  async ofUser(userId: string): Promise<UserAsOf> {
    const streams = await this.#streams(userId, null);
    return this.#of(userId, streams, (moment) => this.#times.lastKept(streams.generation, moment));
  }

  #of(userId: string, streams: UserStreams, lastKept: UserAsOfOptions['lastKept']): UserAsOf {
    const { pool, now, rules } = this.options;
    const [events, times, catalogs] = [this.#events, this.#times, this.#catalogs];
    const parts = { pool, now, userId, streams, lastKept, events, times, catalogs };
    return new UserAsOf(rules === undefined ? parts : { ...parts, rules });
  }

  /** The user's streams, once all that was known by `knownAt` is folded. */
  async #streams(userId: string, knownAt: number | null): Promise<UserStreams> {
    const { pool, store, reach } = this.options;
    let streams = await readUserStreams(pool, userId, knownAt);
    if (streams === null) throw new ReadModelNotReadyError();
    if (knownAt !== null && streams.logicalTime <= knownAt) {
      const head = await store.head();
      if (head !== null && head !== streams.handled) {
        if (!(await reach(head))) throw new NotLevelError(streams.handled, head);
        streams = (await readUserStreams(pool, userId, knownAt)) ?? streams;
      }
    }
    if (!streams.isWhole) throw new RebuildNeededError();
    return streams;
  }
}
