import { isDeepStrictEqual } from 'node:util';
import { happenedAt, timeOf } from '../../events/two-clocks.js';
import type { ReasonWithEvents } from '../../projections/read-models/reason-events.js';
import type { AsOfReader } from '../as-of/as-of.js';
import { reasonsAsOf } from '../as-of/explain-as-of.js';
import type { AsOf, AsOfSnapshot } from '../as-of/user-as-of.js';
import type { HistoryCause } from '../history/cause.js';
import type { Change } from '../history/changes.js';
import type { HistoryEntry, UserHistory } from '../history/user-history.js';

/**
 * What a user could do at a moment (RFC 3339, UTC, ms) by both clocks (DESIGN 9, "Two clocks"): `served` is what was served, by
 * what was known then (`?knownAt=moment`), and `held` what should have held, by all that is known when this is written
 * (`?at=moment`).
 */
export interface SnapshotByBothClocks {
  readonly moment: string;
  readonly served: AsOfSnapshot;
  readonly held: AsOfSnapshot;
  /** What made `served` so; `null` where it is as before. */
  readonly cause: HistoryCause | null;
  readonly changed: readonly Change[];
  /** The rules of the policy that decided; of `served` `null` where it is as before or the running code judges otherwise. */
  readonly reasons: {
    readonly served: readonly ReasonWithEvents[] | null;
    readonly held: readonly ReasonWithEvents[];
  };
}

export interface BothClocksOptions {
  readonly histories: UserHistory;
  /** Answers without waiting: what is asked of it is folded already. */
  readonly asOf: AsOfReader;
  /** Unix ms. */
  readonly now: () => number;
}

/**
 * Snapshots of a user at every moment at which one of both clocks gave another one, in the order of time.
 * @throws what the history and answers as of a moment throw
 */
export async function snapshotsByBothClocks(
  { histories, asOf, now }: BothClocksOptions,
  userId: string,
): Promise<readonly SnapshotByBothClocks[]> {
  const entries = await histories.whole(userId);
  const until = now();
  const user = await asOf.ofUser(userId);
  const { events } = await user.asOf({ at: until, knownAt: null });
  const happened = events.map((event) => happenedAt(event, timeOf(event)));
  const rows = new Map(entries.map((entry) => [Date.parse(entry.from), entry])); // of one moment the last
  const moments = new Moments([...rows.keys(), ...happened].filter((moment) => moment <= until));
  const told: SnapshotByBothClocks[] = [];
  for (let moment = moments.next(); moment !== null; moment = moments.next()) {
    const served = await user.asOf({ at: null, knownAt: moment });
    const held = await user.asOf({ at: moment, knownAt: null });
    const ends = held.snapshot.validUntil === null ? null : Date.parse(held.snapshot.validUntil);
    if (ends !== null && ends <= until) moments.add(ends); // the clock alone brings the next one
    const last = told.at(-1);
    const entry = rows.get(moment) ?? null;
    if (entry !== null || last === undefined || isOther(last, served, held)) {
      told.push(await toldAt(moment, { served, held, entry }));
    }
  }
  return told;
}

async function toldAt(
  moment: number,
  {
    served,
    held,
    entry,
  }: { readonly served: AsOf; readonly held: AsOf; readonly entry: HistoryEntry | null },
): Promise<SnapshotByBothClocks> {
  return {
    moment: new Date(moment).toISOString(),
    served: served.snapshot,
    held: held.snapshot,
    cause: entry?.cause ?? null,
    changed: entry?.changed ?? [],
    reasons: { served: entry?.reasons ?? null, held: await reasonsAsOf(held) },
  };
}

function isOther(last: SnapshotByBothClocks, served: AsOf, held: AsOf): boolean {
  return (
    !isDeepStrictEqual(judged(last.served), judged(served.snapshot)) ||
    !isDeepStrictEqual(judged(last.held), judged(held.snapshot))
  );
}

/** A snapshot without what tells of the question and of when Tenure learned it. */
function judged({ asOf: _, position: __, changedAt: ___, revocationVersion: ____, ...rest }: AsOfSnapshot) {
  return rest;
}

/** Moments (Unix ms), each once and in order, to which later ones may be added. */
class Moments {
  readonly #ahead: Set<number>;
  #last = Number.NEGATIVE_INFINITY;

  constructor(moments: readonly number[]) {
    this.#ahead = new Set(moments.filter(Number.isFinite));
  }

  add(moment: number): void {
    if (moment > this.#last) this.#ahead.add(moment);
  }

  /** `null`: there is none behind the last one. */
  next(): number | null {
    if (this.#ahead.size === 0) return null;
    const next = [...this.#ahead].reduce((least, each) => Math.min(least, each));
    this.#ahead.delete(next);
    this.#last = next;
    return next;
  }
}
