import type { z } from 'zod';
import { NamedError } from '../observability/named-error.js';
import { type DomainEvent, EVENT_TYPES } from './event-types.js';
import { type EventMetadata, eventMetadataSchema } from './metadata.js';
import { type PlainReader, plainReader } from './plain-reader.js';
import type { Position, StoredEvent } from './stored-event.js';
import { UPCASTERS, type Upcasters, upcast } from './upcasters.js';

/** Where an event stands in the log, and what stands beside its data. */
export interface Recorded {
  readonly stream: string;
  readonly revision: number;
  readonly position: Position;
  readonly id: string;
  readonly metadata: EventMetadata;
}

/** An event as it was read from the log: parsed, and in today's schema version. */
export type EventEnvelope = DomainEvent & Recorded;

/** The log holds an event of a type this code does not know. */
export class UnknownEventTypeError extends NamedError {
  readonly code = 'unknown_event_type';
  constructor(
    readonly type: string,
    readonly position: Position,
  ) {
    super(`position ${position}: unknown event type ${type}`);
  }
}

/** The log holds an event whose data or metadata is not what its type says. The message shows no values. */
export class CorruptEventError extends NamedError {
  readonly code = 'corrupt_event';
  constructor(
    readonly type: string,
    readonly position: Position,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(`position ${position}, ${type}: ${problem}`, options);
  }
}

/** What a parser has to know of one event type; `EVENT_TYPES` holds these. */
export interface EventDefinition<E> {
  readonly schemaVersion: number;
  readonly event: z.ZodType<E>;
}

/**
 * Makes a parser of stored events from definitions by type name and upcasters.
 * The parser throws UnknownEventTypeError, CorruptEventError or UnsupportedSchemaVersionError.
 */
export function eventParser<E extends object>(
  definitions: Readonly<Record<string, EventDefinition<E>>>,
  upcasters: Upcasters,
): (stored: StoredEvent) => E & Recorded {
  const readers = new Map<string, PlainReader<E>>(
    Object.entries(definitions).map(([type, { event }]) => [type, plainReader(event)]),
  );
  return (stored) => {
    const { type, position } = stored;
    const definition = Object.hasOwn(definitions, type) ? definitions[type] : undefined;
    if (definition === undefined) throw new UnknownEventTypeError(type, position);

    const metadata = metadataOf(stored);
    const { schemaVersion: written } = metadata;
    const data = upcast(type, parseJson(stored, 'data'), written, definition.schemaVersion, upcasters);
    const event = readers.get(type)?.({ type, data }) ?? parsed(definition.event, { type, data }, stored);
    const { stream, revision, id } = stored;
    return { ...event, stream, revision, position, id, metadata };
  };
}

/**
 * Parses an event of the log into today's schema version.
 * @throws UnknownEventTypeError, CorruptEventError, UnsupportedSchemaVersionError
 */
export const parseEvent: (stored: StoredEvent) => EventEnvelope = eventParser<DomainEvent>(
  EVENT_TYPES,
  UPCASTERS,
);

const plainMetadata = plainReader(eventMetadataSchema);

/** @throws CorruptEventError */
function metadataOf(stored: StoredEvent): EventMetadata {
  const read = parseJson(stored, 'metadata');
  const plain = plainMetadata(read);
  if (plain !== undefined) return plain;
  const metadata = eventMetadataSchema.safeParse(read);
  if (metadata.success) return metadata.data;
  throw new CorruptEventError(stored.type, stored.position, `metadata at ${paths(metadata.error)}`);
}

/** @throws CorruptEventError */
function parsed<E>(schema: z.ZodType<E>, given: unknown, { type, position }: StoredEvent): E {
  const event = schema.safeParse(given);
  if (!event.success) throw new CorruptEventError(type, position, `data at ${paths(event.error)}`);
  return event.data;
}

function parseJson(stored: StoredEvent, part: 'data' | 'metadata'): unknown {
  try {
    return JSON.parse(stored[part]);
  } catch (cause) {
    throw new CorruptEventError(stored.type, stored.position, `${part} is not JSON`, { cause });
  }
}

function paths(error: z.ZodError): string {
  return error.issues.map((issue) => issue.path.join('.') || '(whole)').join(', ');
}
