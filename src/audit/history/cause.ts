import { z } from 'zod';
import type { EventStore } from '../../event-store/event-store.js';
import type { StoredEvent } from '../../events/stored-event.js';
import type { HistoryRow } from './history.reader.js';

/** What made a snapshot hold: the clock alone, or an event of the log. Times are RFC 3339. */
export type HistoryCause =
  | { readonly kind: 'time'; readonly at: string }
  | {
      readonly kind: 'event';
      readonly id: string;
      readonly type: string;
      readonly position: string;
      /** Who did it, as whoever called says or else the caller, and when it was recorded; `null` where the log has another event at that place now. */
      readonly actor: string | null;
      readonly recordedAt: string | null;
      /** Why, where whoever did it by hand said so. */
      readonly reason: string | null;
      /** The event of Stripe's behind it; `null` of what is not from Stripe. */
      readonly stripe: {
        readonly eventId: string | null;
        readonly eventType: string | null;
        readonly created: string;
      } | null;
    };

/** Events that are looked up at once. */
const AT_ONCE = 8;

const metadataText = z.looseObject({
  actor: z.string(),
  recordedAt: z.string(),
  stripeEventId: z.string().nullable(),
  stripeEventType: z.string().nullable(),
  stripeCreated: z.number().nullable(),
});
const dataText = z.looseObject({ reason: z.string().nullable().default(null), actor: z.string().optional() });

/** The causes of these snapshots, in their order, each event read from the log where it stands. */
export async function causesOf(
  store: Pick<EventStore, 'eventAt'>,
  rows: readonly HistoryRow[],
): Promise<readonly HistoryCause[]> {
  const causes: HistoryCause[] = [];
  for (let first = 0; first < rows.length; first += AT_ONCE) {
    const some = rows.slice(first, first + AT_ONCE);
    causes.push(...(await Promise.all(some.map((row) => causeOf(store, row)))));
  }
  return causes;
}

async function causeOf(
  store: Pick<EventStore, 'eventAt'>,
  { event, from }: HistoryRow,
): Promise<HistoryCause> {
  if (event === null) return { kind: 'time', at: new Date(from).toISOString() };
  const stored = await store.eventAt(event.position);
  const told =
    stored?.id === event.id ? toldBy(stored) : { actor: null, recordedAt: null, reason: null, stripe: null };
  return { kind: 'event', ...event, ...told };
}

function toldBy({ data, metadata }: StoredEvent) {
  const {
    actor: caller,
    recordedAt,
    stripeEventId,
    stripeEventType,
    stripeCreated,
  } = metadataText.parse(JSON.parse(metadata));
  const { reason, actor = caller } = dataText.parse(JSON.parse(data));
  const created = stripeCreated === null ? null : new Date(stripeCreated * 1_000).toISOString();
  const stripe = created === null ? null : { eventId: stripeEventId, eventType: stripeEventType, created };
  return { actor, recordedAt, reason, stripe };
}
