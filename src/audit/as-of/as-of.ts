import type { Pool } from 'pg';
import type { EventStore } from '../../event-store/event-store.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import { comparePositions, type Position } from '../../events/stored-event.js';
import { happenedAt, timeOf } from '../../events/two-clocks.js';
import { type FoldingRules, RUNNING_RULES } from '../../projections/entitlements/folding-rules.js';
import type { PastSnapshot, Snapshot } from '../../projections/entitlements/snapshot.js';
import { readServedAt } from '../../projections/read-models/served-history.reader.js';
import { ReadModelNotReadyError } from '../../projections/read-models/served-row.js';
import { MomentAheadError, NotLevelError, RebuildNeededError } from '../errors.js';
import { CatalogHistory, type PublishedInLog } from './catalog-history.js';
import { FoldTimes } from './fold-times.js';
import {
  catalogAsOf,
  factsAsOf,
  type JudgedFrom,
  type KnownCatalog,
  type KnownEvent,
  type Moment,
} from './judged-events.js';
import { type Missing, UserEventsReader } from './user-events.js';
import { readUserStreams, type UserStreams } from './user-streams.reader.js';

/**
 * What is asked (Unix ms; DESIGN 9, "Two clocks"): `at` and `knownAt` judge by both clocks; without `knownAt` all that is
 * known now counts. Without `at` it is what was served at `knownAt`.
 */
export type AsOfQuestion =
  | { readonly at: number; readonly knownAt: number | null }
  | { readonly at: null; readonly knownAt: number };

/** A snapshot as of a moment; times are RFC 3339. */
export interface AsOfSnapshot extends Omit<PastSnapshot, 'revocationVersion'> {
  /** Of the version served at `knownAt`; `null` where `at` was asked for: that was never served. */
  readonly revocationVersion: number | null;
  readonly asOf: { readonly at: string; readonly knownAt: string; readonly since: string | null };
  /** Only where nothing was known of the user at that moment. */
  readonly unobserved?: true;
}

/** The answer, and what it was judged from; of what was served what would be judged now. */
export interface AsOf extends JudgedFrom {
  readonly snapshot: AsOfSnapshot;
  readonly moment: Moment;
  /** How far the live generation has folded the log. */
  readonly handled: Position | null;
}

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
  async asOf(userId: string, { at, knownAt }: AsOfQuestion): Promise<AsOf> {
    const { pool, now, rules = RUNNING_RULES } = this.options;
    const streams = await this.#streams(userId, knownAt);
    const { handled, logicalTime } = streams;
    const latest = Math.max(now(), logicalTime);
    if (knownAt !== null && knownAt > latest) throw new MomentAheadError();
    const moment = { at: at ?? knownAt, knownAt: knownAt ?? latest };
    const [{ events, missing }, published, position, served] = await Promise.all([
      this.#events.read(userId, streams),
      this.#catalogs.publications(streams.publications),
      this.#lastKnown(streams, moment.knownAt),
      at === null ? readServedAt(pool, userId, moment.knownAt) : null,
    ]);
    const known = await this.#known(streams, events, published, position);
    const inForce = catalogAsOf(known.catalogs, moment);
    if (inForce === null) throw new ReadModelNotReadyError();
    const [judged, catalog] = await Promise.all([
      factsAsOf(userId, known.events, moment),
      this.#catalogs.catalog(inForce),
    ]);
    const { since } = judged;
    const snapshot: AsOfSnapshot = {
      ...(served ?? {
        userId,
        ...rules.judge(await judged.facts(), catalog, moment.at).entitlement,
        revocationVersion: null,
        changedAt: null,
        ...markOf(missing, moment.knownAt),
      }),
      position,
      asOf: {
        at: timeText(moment.at),
        knownAt: timeText(moment.knownAt),
        since: since === null ? null : timeText(since),
      },
      ...(since === null || moment.at < since ? { unobserved: true } : {}),
    };
    return { ...judged, catalog, snapshot, moment, handled };
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

  /**
   * Says of events and catalogues up to `last` from when they were known, and of others that they were not. Looked up is
   * only what the answer may hang on: of an event with a second after the time it brings.
   */
  async #known(
    { generation }: UserStreams,
    events: readonly EventEnvelope[],
    published: readonly PublishedInLog[],
    last: Position | null,
  ): Promise<{
    readonly events: readonly KnownEvent[];
    readonly catalogs: readonly (PublishedInLog & KnownCatalog)[];
  }> {
    const doubtful = events.filter((event) => happenedAt(event, Number.POSITIVE_INFINITY) > timeOf(event));
    const kept = await this.#times.keptUpTo(
      generation,
      doubtful.map(({ position }) => position),
    );
    const knownFrom = (position: Position, time: number): number =>
      comparePositions(position, last) > 0
        ? Number.POSITIVE_INFINITY
        : Math.max(time, kept.get(position) ?? Number.NEGATIVE_INFINITY);
    return {
      events: events.map((event) => ({ event, knownFrom: knownFrom(event.position, timeOf(event)) })),
      catalogs: published.map((each) => ({
        ...each,
        knownFrom: knownFrom(each.position, each.recordedAt),
      })),
    };
  }

  async #lastKnown(streams: UserStreams, knownAt: number): Promise<Position | null> {
    return streams.logicalTime <= knownAt ? streams.handled : this.#times.lastKnown(streams, knownAt);
  }
}

function markOf(missing: readonly Missing[], knownAt: number): Pick<Snapshot, 'faulted'> {
  const [first] = missing.filter(({ since }) => since <= knownAt).sort((a, b) => a.since - b.since);
  return first === undefined ? {} : { faulted: { since: timeText(first.since), position: first.position } };
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
