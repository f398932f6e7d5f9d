import type { Pool } from 'pg';
import type { EventEnvelope } from '../../events/event-envelope.js';
import { comparePositions, type Position } from '../../events/stored-event.js';
import { happenedAt, timeOf } from '../../events/two-clocks.js';
import { type FoldingRules, RUNNING_RULES } from '../../projections/entitlements/folding-rules.js';
import type { PastSnapshot, Snapshot } from '../../projections/entitlements/snapshot.js';
import { readServedAt } from '../../projections/read-models/served-history.reader.js';
import { ReadModelNotReadyError } from '../../projections/read-models/served-row.js';
import { MomentAheadError } from '../errors.js';
import type { CatalogHistory, PublishedInLog } from './catalog-history.js';
import type { FoldTimes } from './fold-times.js';
import {
  catalogAsOf,
  FactsByMoment,
  type JudgedFrom,
  type KnownCatalog,
  type KnownEvent,
  type Moment,
} from './judged-events.js';
import type { Missing, UserEventsReader } from './user-events.js';
import type { UserStreams } from './user-streams.reader.js';

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

export interface UserAsOfOptions {
  readonly pool: Pool;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly rules?: FoldingRules;
  readonly userId: string;
  readonly streams: UserStreams;
  /** The last event at which the fold kept a time that is not after a moment (Unix ms). */
  readonly lastKept: (moment: number) => Promise<Position | null>;
  readonly events: UserEventsReader;
  readonly times: FoldTimes;
  readonly catalogs: CatalogHistory;
}

/** What answers about a user are made of, whatever the moment. */
interface ReadOfUser {
  /** In the log's order. */
  readonly events: readonly KnownEvent[];
  readonly catalogs: readonly (PublishedInLog & KnownCatalog)[];
  readonly missing: readonly Missing[];
}

/**
 * Answers what one user could do as of moments, by the log as far as it was folded when this was made: the user's events are
 * read once. Of moments in the order of time each goes on from the facts of the one before. Questions are to be asked one
 * after the other.
 */
export class UserAsOf {
  readonly #facts: FactsByMoment;
  #read: Promise<ReadOfUser> | null = null;

  constructor(private readonly options: UserAsOfOptions) {
    this.#facts = new FactsByMoment(options.userId);
  }

  /** @throws MomentAheadError, ReadModelNotReadyError, and what the stores answer */
  async asOf({ at, knownAt }: AsOfQuestion): Promise<AsOf> {
    const { pool, now, userId, streams, rules = RUNNING_RULES } = this.options;
    const { handled, logicalTime } = streams;
    const latest = Math.max(now(), logicalTime);
    if (knownAt !== null && knownAt > latest) throw new MomentAheadError();
    const moment = { at: at ?? knownAt, knownAt: knownAt ?? latest };
    this.#read ??= this.#readOnce();
    const [{ events, missing, catalogs }, position, served] = await Promise.all([
      this.#read,
      this.#lastKnown(moment.knownAt),
      at === null ? readServedAt(pool, userId, moment.knownAt) : null,
    ]);
    const isFolded = (each: { readonly position: Position }): boolean =>
      comparePositions(each.position, position) <= 0;
    const inForce = catalogAsOf(catalogs, moment, isFolded);
    if (inForce === null) throw new ReadModelNotReadyError();
    const catalog = await this.options.catalogs.catalog(inForce);
    const judged = await this.#facts.asOf(events, moment, isFolded);
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

  async #readOnce(): Promise<ReadOfUser> {
    const { userId, streams, catalogs } = this.options;
    const [{ events, missing }, published] = await Promise.all([
      this.options.events.read(userId, streams),
      catalogs.publications(streams.publications),
    ]);
    const knownFrom = await this.#knownFrom(events);
    return {
      missing,
      events: events
        .map((event) => ({ event, knownFrom: knownFrom(event.position, timeOf(event)) }))
        .map((known) => ({ ...known, happened: happenedAt(known.event, known.knownFrom) }))
        .sort((a, b) => comparePositions(a.event.position, b.event.position)),
      catalogs: published.map((each) => ({
        ...each,
        knownFrom: knownFrom(each.position, each.recordedAt),
      })),
    };
  }

  /**
   * Says of an event or a catalogue, that brings a time, from when it was known. Looked up is only what an answer may hang
   * on: of an event with a second after the time it brings.
   */
  async #knownFrom(events: readonly EventEnvelope[]): Promise<(position: Position, time: number) => number> {
    const { streams, times } = this.options;
    const doubtful = events.filter((event) => happenedAt(event, Number.POSITIVE_INFINITY) > timeOf(event));
    const kept = await times.keptUpTo(
      streams.generation,
      doubtful.map(({ position }) => position),
    );
    return (position, time) => Math.max(time, kept.get(position) ?? Number.NEGATIVE_INFINITY);
  }

  async #lastKnown(knownAt: number): Promise<Position | null> {
    const { streams, times, lastKept } = this.options;
    if (streams.logicalTime <= knownAt) return streams.handled;
    return times.lastKnown({ ...streams, lastKept: await lastKept(knownAt) }, knownAt);
  }
}

function markOf(missing: readonly Missing[], knownAt: number): Pick<Snapshot, 'faulted'> {
  const [first] = missing.filter(({ since }) => since <= knownAt).sort((a, b) => a.since - b.since);
  return first === undefined ? {} : { faulted: { since: timeText(first.since), position: first.position } };
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
