import type { EventEnvelope } from '../../events/event-envelope.js';
import type { Position } from '../../events/stored-event.js';
import { codeOf, messageOf } from '../engine/projector.js';
import { UnreadableEvent } from '../engine/unreadable-event.js';
import type { FailedEvent } from './set-aside-rows.js';

/** An event by what identifies it. */
export interface Named {
  readonly id: string;
  readonly type: string;
  readonly position: Position;
}

/** Longest message kept of a failure. */
const MESSAGE_LENGTH = 500;

/** Where an event stands in the log. */
export function whereOf(event: EventEnvelope | UnreadableEvent): {
  readonly stream: string;
  readonly revision: number;
  readonly position: Position;
  readonly id: string;
  readonly type: string;
} {
  return event instanceof UnreadableEvent ? event.stored : event;
}

/** What is kept of an event that failed, and of why. */
export function failedEvent(event: UnreadableEvent | Named, cause: unknown): FailedEvent {
  const { position, id, type } = event instanceof UnreadableEvent ? event.stored : event;
  return {
    position,
    eventId: id,
    eventType: keepable(type),
    code: keepable(codeOf(cause)),
    message: keepable(messageOf(cause)),
  };
}

/** A text that a column takes, whatever was thrown. */
function keepable(text: string): string {
  return text.slice(0, MESSAGE_LENGTH).replaceAll('\0', '').toWellFormed();
}
