import type { Pool } from 'pg';
import { z } from 'zod';
import type { EventStore } from '../../event-store/event-store.js';
import { comparePositions, type Position } from '../../events/stored-event.js';
import { timeOf } from '../../events/two-clocks.js';
import { readEvent, UnreadableEvent } from '../../projections/engine/unreadable-event.js';
import { BEGINNING, EVENTS_BETWEEN_TIMES } from '../../projections/entitlements/logical-times.js';
import type { UserStreams } from './user-streams.reader.js';

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

  /**
   * The last event that was known by a moment (Unix ms), of those that are folded; `null` when none was. The fold's time
   * never goes back: every event before it was known, too. What is set aside brings no time.
   */
  async lastKnown(
    { generation, handled, setAside }: Pick<UserStreams, 'generation' | 'handled' | 'setAside'>,
    knownAt: number,
  ): Promise<Position | null> {
    const { rows } = await this.pool.query({
      name: 'tenure-read-last-known',
      text: `select position::text, now_ms::text from tenure.logical_time
             where generation = $1 and now_ms <= $2 order by now_ms desc, position desc limit 1`,
      values: [generation, knownAt],
    });
    const kept = timeRow.optional().parse(rows[0]);
    if (kept === undefined) return null;
    let last = kept.position === BEGINNING ? null : kept.position;
    const { events } = await this.store.readAll(last, EVENTS_BETWEEN_TIMES);
    for (const stored of events) {
      const event = readEvent(stored);
      const isAside = setAside.some(
        ({ stream, revision }) => stream === stored.stream && revision <= stored.revision,
      );
      const isKnown = isAside || event instanceof UnreadableEvent || timeOf(event) <= knownAt;
      if (!isKnown || comparePositions(stored.position, handled) > 0) break;
      last = stored.position;
    }
    return last;
  }
}
