import { type DomainEvent, EVENT_TYPES } from './event-types.js';
import type { EventMetadata } from './metadata.js';
import type { StoredEvent } from './stored-event.js';
import { UPCASTERS, upcast } from './upcasters.js';

/** An event of the log whose data nobody has checked: of one that `parseEvent` reads it is what that would give. */
export type GlancedEvent = DomainEvent &
  Pick<StoredEvent, 'stream' | 'position' | 'id'> & { readonly metadata: Pick<EventMetadata, 'recordedAt'> };

/** Two neighbours in the canonical text of metadata; in no text of a value, where each quotation mark is escaped. */
const RECORDED = /"recordedAt":"([^"\\]+)","schemaVersion":(\d+)/;

/**
 * An event as it looks, in today's schema version, in half the time that reading it takes: for whoever comes by it again, and reads it
 * then. `null` where it cannot be read.
 */
export function glanceAt({ type, stream, position, id, data, metadata }: StoredEvent): GlancedEvent | null {
  const [, recordedAt, written] = RECORDED.exec(metadata) ?? [];
  if (recordedAt === undefined || !isKnown(type)) return null;
  try {
    const { schemaVersion: today } = EVENT_TYPES[type];
    const read = upcast(type, JSON.parse(data), Number(written), today, UPCASTERS);
    if (typeof read !== 'object' || read === null) return null;
    return { type, data: read, stream, position, id, metadata: { recordedAt } } as GlancedEvent; // unchecked, as it says
  } catch {
    return null; // `parseEvent` says why
  }
}

function isKnown(type: string): type is keyof typeof EVENT_TYPES {
  return Object.hasOwn(EVENT_TYPES, type);
}
