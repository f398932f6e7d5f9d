import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { sha256Hex } from '../../src/events/canonical-json.js';
import {
  currentSchemaVersion,
  type DomainEvent,
  EVENT_TYPES,
  type EventType,
} from '../../src/events/event-types.js';
import { sealEvent } from '../../src/events/hash-chain.js';
import type { StoredEvent } from '../../src/events/stored-event.js';

/**
 * `test/fixtures/events/<Type>.v<N>.json`: an event of each type in each schema version it ever had. `stored` is what
 * the log holds of it, byte for byte, and is never changed once it was written; `event` is how it is read today.
 */
const goldenSchema = z.strictObject({
  stored: z.strictObject({
    stream: z.string(),
    revision: z.number(),
    position: z.string(),
    id: z.string(),
    type: z.string(),
    data: z.string(),
    metadata: z.string(),
  }),
  event: z.strictObject({ type: z.string(), data: z.record(z.string(), z.unknown()) }),
});

/** One golden file; `metadata` is that of `stored`, parsed. */
export interface GoldenEvent {
  readonly name: string;
  readonly stored: StoredEvent;
  readonly event: Readonly<z.infer<typeof goldenSchema>['event']>;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** A golden file as it is written. */
export type GoldenFile = z.infer<typeof goldenSchema>;

/** `test/fixtures/events/`. */
export const GOLDEN_FOLDER = fileURLToPath(new URL('../fixtures/events/', import.meta.url));

/** Every golden file there is. */
export const GOLDEN_EVENTS: readonly GoldenEvent[] = readdirSync(GOLDEN_FOLDER).map((file) => {
  const { stored, event } = goldenSchema.parse(JSON.parse(readFileSync(`${GOLDEN_FOLDER}${file}`, 'utf8')));
  return { name: file.replace('.json', ''), stored, event, metadata: JSON.parse(stored.metadata) };
});

/** What the golden file of a type in its version of today says. Throws when there is none. */
export function goldenEvent(type: EventType): DomainEvent {
  const { schemaVersion, event } = EVENT_TYPES[type];
  const golden = GOLDEN_EVENTS.find(({ name }) => name === `${type}.v${schemaVersion}`);
  if (golden === undefined) throw new Error(`no golden file of ${type}`);
  return event.parse(golden.event);
}

/** Where a first golden event of a type stands: its stream (`customer-cus_1`), and the Stripe type that it is told by, if any. */
export interface GoldenOrigin {
  readonly stream: string;
  readonly stripeEventType: string | null;
}

/**
 * A golden file of a type in its version of today, sealed; the same for the same data and origin.
 * @throws ZodError when the data is not of the type
 */
export function goldenFile(
  type: EventType,
  data: unknown,
  { stream, stripeEventType }: GoldenOrigin,
): GoldenFile {
  const event = parsedEvent(type, data);
  const told = `${type}.v${currentSchemaVersion(type)} of ${stream}`;
  const stripeEventId = stripeEventType === null ? null : `evt_${sha256Hex(told).slice(0, 24)}`;
  const place = { stream: `tenure.${stream}`, revision: 7 };
  const idKey = stripeEventId ?? `key:${told}`;
  const { hash: _, ...sealed } = sealEvent({
    ...event,
    ...place,
    prevHash: sha256Hex(stream),
    idKey,
    metadataWithoutHashes: {
      actor: stripeEventType === null ? 'service' : 'stripe',
      apiVersion: stripeEventType === null ? null : '2026-10-28.endive',
      causationId: idKey,
      correlationId: 'request-7',
      livemode: stripeEventType === null ? null : true,
      recordedAt: '2026-11-29T09:40:07.000Z',
      schemaVersion: currentSchemaVersion(type),
      stripeCreated: stripeEventType === null ? null : SEVEN_SECONDS_IN,
      stripeEventId,
      stripeEventType,
    },
  });
  return goldenSchema.parse({ stored: { ...place, position: '207', ...sealed }, event });
}

/** 2026-11-29T09:40:07Z, Unix seconds. */
const SEVEN_SECONDS_IN = 1_795_945_207;

/** The event of these types is one of the union, which `EVENT_TYPES[type]` alone does not tell the compiler. */
function parsedEvent(type: EventType, data: unknown): DomainEvent {
  return EVENT_TYPES[type].event.parse({ type, data });
}
