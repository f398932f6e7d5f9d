import type { EventSkippedData } from '../events/projection.events.js';
import type { Decider } from './decider.js';

/** One skip for one event of the log. The state is the ids of the events that are skipped. */
export const projectionDecider: Decider<ReadonlySet<string>, EventSkippedData> = {
  initial: new Set(),
  evolve: (skipped, { event }) =>
    event.type === 'EventSkipped' ? new Set(skipped).add(event.data.skipped.id) : skipped,
  decide: (skipped, data) => (skipped.has(data.skipped.id) ? [] : [{ type: 'EventSkipped', data }]),
  // The key is `skip/{event id}`.
  knows: (skipped, key) => skipped.has(key.slice(key.indexOf('/') + 1)),
};
