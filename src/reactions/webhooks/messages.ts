import type { EventEnvelope } from '../../events/event-envelope.js';
import { allowsTheSame } from '../../policy/access-part.js';
import type { Entitlement } from '../../policy/entitlement.js';
import type { PastSnapshot } from '../../projections/entitlements/snapshot.js';
import { type EventTrigger, happenedAt } from '../event-trigger.js';
import { stableId } from '../reaction.js';
import type { ChangeCause, UserChange } from '../user-changes.js';
import type { LimitNews, LimitUse } from './limits.js';
import type { MessageType } from './message-types.js';

/** What made it so, as a message tells it. Times are RFC 3339. */
export interface MessageCause {
  readonly kind: 'event' | 'time';
  readonly at: string;
  readonly eventId: string | null;
  readonly eventType: string | null;
  readonly position: string | null;
  readonly stripeEventId: string | null;
  readonly actor: string | null;
}

/** A message about a user, before anybody is sent it. */
export interface Message {
  readonly id: string;
  readonly type: MessageType;
  readonly userId: string;
  /** RFC 3339. */
  readonly time: string;
  readonly cause: MessageCause;
  /** Position of the log, and version of the user (`revocationVersion`), then. */
  readonly position: string | null;
  readonly version: number;
  /** What was served before; `null` where nothing changed. */
  readonly before: Entitlement | null;
  readonly snapshot: PastSnapshot;
  /** The limit that `limit.reached` and `limit.exceeded` are about; no other type has one. */
  readonly limit: LimitUse | null;
  readonly trigger: EventTrigger;
  /** Instant since which Tenure knows it, Unix milliseconds. */
  readonly knownAt: number;
}

/** The types of message that a change is, in the order in which they go out. */
export function typesOf(before: Entitlement, after: Entitlement): readonly MessageType[] {
  const isPending =
    after.pendingPayment !== null &&
    (before.pendingPayment?.plan !== after.pendingPayment.plan ||
      before.pendingPayment.price !== after.pendingPayment.price);
  const tests: readonly (readonly [MessageType, boolean])[] = [
    ['access.changed', !allowsTheSame(before, after)],
    ['plan.changed', before.plan !== after.plan],
    ['access.ended', before.source !== null && after.source === null],
    ['payment.past_due', before.status !== 'past_due' && after.status === 'past_due'],
    ['upgrade.pending', isPending],
    ['cancellation.scheduled', after.cancelAt !== null && before.cancelAt !== after.cancelAt],
    ['cancellation.withdrawn', before.cancelAt !== null && after.cancelAt === null && after.source !== null],
  ];
  return tests.filter(([, is]) => is).map(([type]) => type);
}

/** What a message says happened; `limit` of those types alone that are about one. */
type News = { readonly type: MessageType; readonly limit: LimitUse | null };

/** The messages of a change and of the limits that it leaves exceeded, with ids that are the same whenever it is read. */
export function messagesOf(
  change: UserChange,
  exceeded: readonly LimitNews[],
  triggerOf: (event: EventEnvelope) => EventTrigger,
): readonly Message[] {
  const { id, userId, at, cause, before, after } = change;
  const event = cause.kind === 'event' ? cause.event : null;
  const news: readonly News[] = [
    ...typesOf(before, after).map((type) => ({ type, limit: null })),
    ...exceeded,
  ];
  return news.map(({ type, limit }) => ({
    id: idOf(type, userId, id, limit),
    type,
    userId,
    time: new Date(at).toISOString(),
    cause: causeOf(cause, at),
    position: after.position,
    version: after.revocationVersion,
    before,
    snapshot: after,
    limit,
    trigger: event === null ? 'clock' : triggerOf(event),
    knownAt: event === null ? at : Date.parse(event.metadata.recordedAt),
  }));
}

/** The message that an event is by itself, whatever it changed. */
export function messageOfEvent(
  { type, limit }: News,
  event: EventEnvelope,
  snapshot: PastSnapshot,
  trigger: EventTrigger,
): Message {
  return {
    id: idOf(type, snapshot.userId, event.id, limit),
    type,
    userId: snapshot.userId,
    time: new Date(happenedAt(event)).toISOString(),
    cause: causeOf({ kind: 'event', position: event.position, event }, happenedAt(event)),
    position: event.position,
    version: snapshot.revocationVersion,
    before: null,
    snapshot,
    limit,
    trigger,
    knownAt: Date.parse(event.metadata.recordedAt),
  };
}

function idOf(type: MessageType, userId: string, occurrence: string, limit: LimitUse | null): string {
  return stableId('message', type, userId, occurrence, ...(limit === null ? [] : [limit.key]));
}

/** @param changedAt Unix milliseconds, told where the event itself cannot be read */
function causeOf(cause: ChangeCause, changedAt: number): MessageCause {
  if (cause.kind === 'time') {
    const nothing = { eventId: null, eventType: null, position: null, stripeEventId: null, actor: null };
    return { kind: 'time', at: new Date(cause.at).toISOString(), ...nothing };
  }
  const { position, event } = cause;
  return {
    kind: 'event',
    at: new Date(event === null ? changedAt : happenedAt(event)).toISOString(),
    eventId: event?.id ?? null,
    eventType: event?.type ?? null,
    position,
    stripeEventId: event?.metadata.stripeEventId ?? null,
    actor: event?.metadata.actor ?? null,
  };
}
