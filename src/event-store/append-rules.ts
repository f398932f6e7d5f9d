import type { NewEvent } from '../events/stored-event.js';
import { EventTooLargeError, InvalidEventError } from './errors.js';
import type { ExpectedRevision } from './event-store.js';

/** Most UTF-8 bytes of data one append may carry, summed over its events (EventStoreDB's limit, kept by every adapter). */
export const MAX_APPEND_DATA_BYTES = 1_048_576;

/** Longest stream name and event type, in UTF-16 code units. */
export const MAX_NAME_LENGTH = 1_000;

const LONE_SURROGATE = /\p{Surrogate}/u;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * Refuses what no store could keep byte for byte, before anything is sent.
 * @returns the UTF-8 bytes of data in the append
 * @throws InvalidEventError, EventTooLargeError; RangeError for a revision that is no revision (a fault of the caller)
 */
export function checkAppend(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): number {
  if (expected !== 'no_stream' && !isRevision(expected)) {
    throw new RangeError(`expected revision ${expected} is no revision`);
  }
  checkName('stream name', stream);
  if (events.length === 0) throw new InvalidEventError(`append to ${stream} holds no event`);
  let bytes = 0;
  for (const event of events) {
    if (!UUID.test(event.id)) throw new InvalidEventError(`event id in ${stream} is not a UUID`);
    checkName('event type', event.type);
    checkText(`data of ${event.type}`, event.data);
    checkText(`metadata of ${event.type}`, event.metadata);
    bytes += Buffer.byteLength(event.data, 'utf8');
  }
  if (bytes > MAX_APPEND_DATA_BYTES) {
    throw new EventTooLargeError(
      `append to ${stream} holds ${bytes} bytes of data, limit ${MAX_APPEND_DATA_BYTES}`,
    );
  }
  return bytes;
}

/** True for an integer that a revision can be. */
export function isRevision(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function checkName(what: string, name: string): void {
  if (name.length === 0) throw new InvalidEventError(`${what} is empty`);
  if (name.length > MAX_NAME_LENGTH) {
    throw new InvalidEventError(`${what} is longer than ${MAX_NAME_LENGTH} characters`);
  }
  checkText(what, name);
}

function checkText(what: string, text: string): void {
  if (LONE_SURROGATE.test(text)) throw new InvalidEventError(`${what} holds a lone surrogate`);
  if (text.includes('\0')) throw new InvalidEventError(`${what} holds a raw U+0000`);
}

/** @throws RangeError where a page would hold no event, or no whole number of them */
export function checkPageSize(limit: number): void {
  if (!Number.isSafeInteger(limit) || limit < 1) throw new RangeError(`${limit} is no page size`);
}
