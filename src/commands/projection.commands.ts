import type { EventSkippedData } from '../events/projection.events.js';
import type { Origin } from './decider.js';

/** Let a projection go past an event that it cannot fold. Once by event, however often it is sent. */
export class SkipEvent {
  constructor(
    readonly projection: string,
    readonly skipped: EventSkippedData['skipped'],
    readonly reason: string,
    readonly origin: Omit<Origin, 'causation'>,
  ) {}
}
