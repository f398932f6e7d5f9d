import type { AuditAccessedData } from '../events/audit.events.js';
import { auditStream } from '../events/stream-names.js';
import type { Aggregate, KeyedOrigin, Origin } from './aggregate.js';
import { SeenKeys } from './seen-keys.js';

const HOUR_MS = 3_600_000;

/**
 * Record that the actor of `origin` reads what is kept for audits, once for a kind of read and a user in an hour (DESIGN 10,
 * "Who looked"). `at` is the reader's moment by the writer's clock, Unix ms; `userId` is `null` for everyone.
 */
export class RecordAuditAccess {
  readonly data: AuditAccessedData;
  readonly origin: KeyedOrigin;
  constructor(
    { kind, userId, at }: { readonly kind: string; readonly userId: string | null; readonly at: number },
    origin: Omit<Origin, 'causation'>,
  ) {
    const hour = new Date(at - (at % HOUR_MS)).toISOString();
    this.data = { reader: origin.actor, kind, userId, hour };
    // Who reads is in the name of the stream.
    const causation = `${kind}@${hour}${userId === null ? '' : `/${userId}`}`;
    this.origin = { ...origin, causation };
  }
}

/** What one reader looked at on one day: one event for one key. */
export const auditAggregate: Aggregate<SeenKeys, RecordAuditAccess> = {
  streamOf: (prefix, { data: { hour, reader } }) => auditStream(prefix, hour.slice(0, 10), reader),
  expectsNewStream: () => false,
  initial: SeenKeys.none,
  evolve: (seen, { causation }) => (causation === null ? seen : seen.with(causation)),
  knows: (seen, key) => seen.has(key),
  decide: (seen, { data, origin }) => (seen.has(origin.causation) ? [] : [{ type: 'AuditAccessed', data }]),
};
