import type { EventEnvelope } from '../../events/event-envelope.js';
import { comparePositions } from '../../events/stored-event.js';
import { timeOf } from '../../events/two-clocks.js';
import type { Entitlement } from '../../policy/entitlement.js';
import type { ReasonWithEvents } from '../../projections/read-models/reason-events.js';
import { type Change, changesBetween } from '../history/changes.js';
import type { HistoryRow } from '../history/history.reader.js';
import { said } from './said.js';

/** A snapshot that came to hold; `from` is RFC 3339. `reasons` as `reasonsOf` says them. */
export interface ReplayedSnapshot {
  readonly from: string;
  readonly snapshot: Entitlement;
  readonly changed: readonly Change[];
  readonly reasons: readonly ReasonWithEvents[] | null;
}

/** An event of a user's life, or the clock (`event` is `null`), and what they could do from then on, where it changed. */
export interface ReplayStep {
  readonly event: {
    readonly id: string;
    readonly type: string;
    readonly position: string;
    /** Of an event that is not on the user's streams, such as a catalogue, these are `null`. */
    readonly recordedAt: string | null;
    readonly actor: string | null;
    readonly stripeEventId: string | null;
    readonly stripeEventType: string | null;
    readonly said: string | null;
  } | null;
  readonly snapshot: ReplayedSnapshot | null;
}

/** What a life is told from: the user's events in the log's order, every row of the history from the first, their reasons. */
export interface Life {
  readonly events: readonly EventEnvelope[];
  readonly rows: readonly HistoryRow[];
  readonly reasons: ReadonlyMap<number, readonly ReasonWithEvents[] | null>;
}

/** The life of a user step by step, as Tenure learned of it; `until` is Unix ms of recording, `null` is all. Pure. */
export function replay({ events, rows, reasons }: Life, until: number | null): readonly ReplayStep[] {
  const steps: ReplayStep[] = [];
  const left = rows.filter(({ from }) => until === null || from <= until);
  const snapshotOf = (row: HistoryRow): ReplayedSnapshot => ({
    from: new Date(row.from).toISOString(),
    snapshot: row.snapshot,
    changed: changesBetween(row.before, row.snapshot),
    reasons: reasons.get(row.seq) ?? null,
  });
  let next = 0;
  const rowsWhile = (isNext: (row: HistoryRow) => boolean): void => {
    for (let row = left[next]; row !== undefined && isNext(row); row = left[next]) {
      next += 1;
      steps.push({ event: row.event === null ? null : elsewhere(row.event), snapshot: snapshotOf(row) });
    }
  };
  for (const event of events) {
    if (until !== null && Date.parse(event.metadata.recordedAt) > until) continue;
    rowsWhile((row) =>
      row.event === null
        ? row.from <= timeOf(event)
        : comparePositions(row.event.position, event.position) < 0,
    );
    const row = left[next];
    const isCause = row?.event?.position === event.position;
    if (isCause) next += 1;
    steps.push({ event: toldBy(event), snapshot: isCause ? snapshotOf(row) : null });
  }
  rowsWhile(() => true);
  return steps;
}

function elsewhere(event: NonNullable<HistoryRow['event']>): ReplayStep['event'] {
  return {
    ...event,
    recordedAt: null,
    actor: null,
    stripeEventId: null,
    stripeEventType: null,
    said: null,
  };
}

function toldBy(event: EventEnvelope): ReplayStep['event'] {
  const { id, type, position, metadata } = event;
  const { recordedAt, actor, stripeEventId, stripeEventType } = metadata;
  return { id, type, position, recordedAt, actor, stripeEventId, stripeEventType, said: said(event) };
}
