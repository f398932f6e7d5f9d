import type { Pool } from 'pg';
import { z } from 'zod';
import type { EventStore } from '../../event-store/event-store.js';
import { comparePositions, type Position, type StoredEvent } from '../../events/stored-event.js';
import { timeOf } from '../../events/two-clocks.js';
import { readEvent, UnreadableEvent } from '../../projections/engine/unreadable-event.js';
import { BEGINNING, EVENTS_BETWEEN_TIMES } from '../../projections/entitlements/logical-times.js';
import type { UserStreams } from './user-streams.reader.js';

/** In metadata, which is canonical JSON: a quote within another text is escaped there. */
const recordedText = /"recordedAt":"([^"]+)"/;
const keptRow = z.object({ position: z.string() });
const timeRow = z.object({ position: z.string(), now_ms: z.coerce.number() });

/** The fold's time at events of a generation, as `LogicalTimes` keeps it. */
export class FoldTimes {
  constructor(
    private readonly pool: Pool,
    private readonly store: Pick<EventStore, 'readAll'>,
  ) {}

  /** The last time kept up to each of these positions, Unix ms, by position. */
  async keptUpTo(generation: number, positions: readonly Position[]): Promise<ReadonlyMap<Position, number>> {
    if (positions.length === 0) return new Map();
    const { rows } = await this.pool.query({
      name: 'tenure-read-fold-times',
      text: `select q.position::text, coalesce((select t.now_ms from tenure.logical_time t
               where t.generation = $1 and t.position <= q.position order by t.position desc limit 1), 0)::text as now_ms
             from unnest($2::bigint[]) as q(position)`,
      values: [generation, positions],
    });
    return new Map(
      z
        .array(timeRow)
        .parse(rows)
        .map(({ position, now_ms }) => [position, now_ms]),
    );
  }

  /** The last event at which the fold kept a time that is not after a moment (Unix ms); `null` where there is none. */
  async lastKept(generation: number, moment: number): Promise<Position | null> {
    const { rows } = await this.pool.query({
      name: 'tenure-last-kept-time',
      text: `select position::text from tenure.logical_time where generation = $1 and now_ms <= $2::bigint
             order by now_ms desc, position desc limit 1`,
      values: [generation, moment],
    });
    return z.array(keptRow).parse(rows)[0]?.position ?? null;
  }

  /**
   * The last event that was known by a moment (Unix ms), of those that are folded; `null` when none was. The fold's time
   * never goes back: every event before it was known, too. What is set aside brings no time. The streams were read for
   * that moment.
   */
  async lastKnown(
    { lastKept, handled, setAside }: Pick<UserStreams, 'lastKept' | 'handled' | 'setAside'>,
    knownAt: number,
  ): Promise<Position | null> {
    if (lastKept === null) return null;
    let last = lastKept === BEGINNING ? null : lastKept;
    for (let from = last; ; ) {
      const { events, scanned } = await this.store.readAll(from, EVENTS_BETWEEN_TIMES);
      for (const stored of events) {
        if (comparePositions(stored.position, handled) > 0 || !isKnown(stored, knownAt, setAside))
          return last;
        last = stored.position;
      }
      if (scanned === from) return last;
      from = scanned;
    }
  }
}

function isKnown(stored: StoredEvent, knownAt: number, setAside: UserStreams['setAside']): boolean {
  const isAside = setAside.some(
    ({ stream, revision }) => stream === stored.stream && revision <= stored.revision,
  );
  if (isAside || isRecordedBy(stored, knownAt)) return true;
  const event = readEvent(stored);
  return event instanceof UnreadableEvent || timeOf(event) <= knownAt;
}

/** Whether an event that brings the time of its recording was recorded by a moment (Unix ms): that is told without its data. */
function isRecordedBy({ type, metadata }: StoredEvent, knownAt: number): boolean {
  const recorded = type === 'AccessDeadlineReached' ? null : recordedText.exec(metadata);
  return recorded !== null && Date.parse(recorded[1] ?? '') <= knownAt;
}
