import { metadataOf } from '../../src/commands/aggregate.js';
import type { DomainEvent } from '../../src/events/event-types.js';
import { GENESIS_HASH, sealEvent } from '../../src/events/hash-chain.js';
import type { StoredEvent } from '../../src/events/stored-event.js';
import { customerStream } from '../../src/events/stream-names.js';
import { at } from './policy-stories.js';
import { twoPlans } from './stories-to-record.js';

/** An event as it stands in a log at a position: it names a customer and a user, and was recorded at a second. */
export function customerAt(position: number, customer: string, userId: string, second: number): StoredEvent {
  const event = { type: 'CustomerObserved', data: { customer, userId } } as const;
  return storedAt(position, customerStream('tenure.', customer), second, event);
}

/** The publication of a catalogue as it stands in a log. */
export function catalogueAt(position: number, second: number): StoredEvent {
  const catalog = twoPlans({ free: 'reports', plus: 'export' });
  const event = { type: 'PlanCatalogPublished', data: { hash: `hash ${position}`, catalog } } as const;
  return storedAt(position, 'tenure.plan_catalog', second, event);
}

/** An event by which ops let the projection go past one that is nowhere. */
export function skipAt(position: number, second: number): StoredEvent {
  const skipped = { id: `id ${position}`, stream: 'tenure.strange', revision: 0, type: 'FromTheFuture' };
  const data = { projection: 'entitlements', skipped, reason: 'a test' };
  return storedAt(position, 'tenure.projection-entitlements', second, { type: 'EventSkipped', data });
}

function storedAt(position: number, stream: string, second: number, event: DomainEvent): StoredEvent {
  const origin = { actor: 'test', correlationId: 'test', causation: null, stripe: null };
  const revision = position;
  const { hash, ...sealed } = sealEvent({
    ...event,
    stream,
    revision,
    prevHash: GENESIS_HASH,
    metadataWithoutHashes: metadataOf(origin, at(second), 1),
    idKey: `${stream}@${revision}`,
  });
  return { ...sealed, stream, revision, position: String(position) };
}
