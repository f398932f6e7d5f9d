import { z } from 'zod';
import type { EventStore } from '../../event-store/event-store.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import { isRetrievedType } from '../../events/event-types.js';
import type { StoredEvent } from '../../events/stored-event.js';
import type { Reason } from '../../policy/reasons/reason.js';
import { factOriginOf } from '../entitlements/fact-rows.js';

/** An event of the log that told a fact; `null` for each part of what the streams of the user do not hold any more. */
export interface ReasonEvent {
  readonly id: string | null;
  readonly type: string | null;
  readonly stripeEventId: string | null;
  readonly position: string | null;
}

/** A reason with the events of the log that its facts were told by. */
export interface ReasonWithEvents extends Omit<Reason, 'events'> {
  readonly events: readonly ReasonEvent[];
}

/** What facts are known by, of metadata of any schema version. */
const known = z.looseObject({ stripeEventId: z.string().nullable(), causationId: z.string().nullable() });

/** Finds the events that reasons name by reading these streams, never the whole log. */
export async function withEvents(
  reasons: readonly Reason[],
  store: Pick<EventStore, 'read'>,
  streams: readonly string[],
): Promise<readonly ReasonWithEvents[]> {
  const named = new Set(reasons.flatMap(({ events }) => events));
  const found = new Map<string, ReasonEvent>();
  for (const stream of named.size === 0 ? [] : streams) {
    for (const event of await store.read(stream, 0)) {
      const told = toldBy(event);
      if (named.has(told.factId)) found.set(told.factId, told.event);
    }
  }
  return withFound(reasons, found);
}

/** Reasons with the events that they name, of those that were judged from. */
export function withJudgedEvents(
  reasons: readonly Reason[],
  judged: readonly EventEnvelope[],
): readonly ReasonWithEvents[] {
  return withFound(reasons, byFact(judged));
}

/** What reasons may name of these events, by what their facts are known by. */
export function byFact(events: readonly EventEnvelope[]): ReadonlyMap<string, ReasonEvent> {
  const found = events.map((event) => {
    const { id, type, position, metadata } = event;
    const { stripeEventId } = metadata;
    return [factOriginOf(event).eventId, { id, type, stripeEventId, position }] as const;
  });
  return new Map(found);
}

/** Reasons with those events that they name. */
export function withFound(
  reasons: readonly Reason[],
  found: ReadonlyMap<string, ReasonEvent>,
): readonly ReasonWithEvents[] {
  return reasons.map((reason) => ({
    ...reason,
    events: reason.events.map((factId) => found.get(factId) ?? { ...GONE, stripeEventId: factId }),
  }));
}

const GONE = { id: null, type: null, position: null };

/** An event, and what the fact that it tells is known by: as `factOriginOf` says it of events that can be read. */
function toldBy({ id, type, position, metadata }: StoredEvent): {
  readonly factId: string;
  readonly event: ReasonEvent;
} {
  const { stripeEventId, causationId } = known.parse(JSON.parse(metadata));
  const asked = isRetrievedType(type) ? causationId : null;
  return { factId: stripeEventId ?? asked ?? id, event: { id, type, stripeEventId, position } };
}
