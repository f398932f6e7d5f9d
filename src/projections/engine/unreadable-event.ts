import { type EventEnvelope, parseEvent } from '../../events/event-envelope.js';
import type { StoredEvent } from '../../events/stored-event.js';

/** An event of the log that this code cannot read, and why. */
export class UnreadableEvent {
  constructor(
    readonly stored: StoredEvent,
    readonly cause: unknown,
  ) {}

  get stream(): string {
    return this.stored.stream;
  }
}

/** An event as the log holds it, parsed; or why it cannot be. */
export function readEvent(stored: StoredEvent): EventEnvelope | UnreadableEvent {
  try {
    return parseEvent(stored);
  } catch (error) {
    return new UnreadableEvent(stored, error);
  }
}
