import type { EventSkippedData } from '../events/projection.events.js';
import { projectionStream } from '../events/stream-names.js';
import type { Aggregate, KeyedOrigin, Origin } from './aggregate.js';

/** Let a projection go past an event that it cannot fold. Once by event, however often it is sent. */
export class SkipEvent {
  readonly origin: KeyedOrigin;
  constructor(
    readonly projection: string,
    readonly skipped: EventSkippedData['skipped'],
    readonly reason: string,
    origin: Omit<Origin, 'causation'>,
  ) {
    this.origin = { ...origin, causation: `skip/${skipped.id}` };
  }
}

/** One skip for one event of the log. The state is the ids of the events that are skipped. */
export const projectionAggregate: Aggregate<ReadonlySet<string>, SkipEvent> = {
  streamOf: (prefix, { projection }) => projectionStream(prefix, projection),
  expectsNewStream: () => false,
  initial: new Set(),
  evolve: (skipped, { event }) =>
    event.type === 'EventSkipped' ? new Set(skipped).add(event.data.skipped.id) : skipped,
  // The key is `skip/{event id}`.
  knows: (known, key) => known.has(key.slice(key.indexOf('/') + 1)),
  decide: (known, { projection, skipped, reason }) =>
    known.has(skipped.id) ? [] : [{ type: 'EventSkipped', data: { projection, skipped, reason } }],
};
