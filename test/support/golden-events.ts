import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type DomainEvent, EVENT_TYPES, type EventType } from '../../src/events/event-types.js';
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

const FOLDER = fileURLToPath(new URL('../fixtures/events/', import.meta.url));

/** Every golden file there is. */
export const GOLDEN_EVENTS: readonly GoldenEvent[] = readdirSync(FOLDER).map((file) => {
  const { stored, event } = goldenSchema.parse(JSON.parse(readFileSync(`${FOLDER}${file}`, 'utf8')));
  return { name: file.replace('.json', ''), stored, event, metadata: JSON.parse(stored.metadata) };
});

/** What the golden file of a type in its version of today says. Throws when there is none. */
export function goldenEvent(type: EventType): DomainEvent {
  const { schemaVersion, event } = EVENT_TYPES[type];
  const golden = GOLDEN_EVENTS.find(({ name }) => name === `${type}.v${schemaVersion}`);
  if (golden === undefined) throw new Error(`no golden file of ${type}`);
  return event.parse(golden.event);
}
