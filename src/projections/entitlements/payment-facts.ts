import type { EventEnvelope } from '../../events/event-envelope.js';
import type { DomainEvent } from '../../events/event-types.js';
import { PAYMENT_EVENT_TYPES, type PaymentEventType } from '../../events/payment.events.js';
import type { PaymentObservation } from '../../policy/facts.js';
import { compareFactOrigins } from '../../policy/order.js';
import { factOriginOf } from './fact-rows.js';

/** An event that is about a payment. */
export type PaymentEvent = Extract<EventEnvelope, { type: PaymentEventType }>;

const TYPES: ReadonlySet<string> = new Set(PAYMENT_EVENT_TYPES);

export function isPaymentEvent(event: EventEnvelope): event is PaymentEvent {
  return TYPES.has(event.type);
}

/** The fact that an event about a payment tells. */
export function paymentObservationOf(event: PaymentEvent): PaymentObservation {
  const { type, data } = event;
  return { ...factOriginOf(event), type, data } as PaymentObservation; // type and data come of one event
}

/** Whether an observation is of what may take back a payment. */
export function isTrouble({ type }: Pick<DomainEvent, 'type'>): boolean {
  return type !== 'PaymentAttachedToInvoice' && type !== 'PaymentWarned';
}

/** Whether some early fraud warning, as last seen, can still be acted on. */
export function hasActionableWarning(observations: readonly PaymentObservation[]): boolean {
  const newest = new Map<string, boolean>();
  for (const observation of [...observations].sort(compareFactOrigins)) {
    if (observation.type === 'PaymentWarned')
      newest.set(observation.data.warning, observation.data.actionable);
  }
  return [...newest.values()].includes(true);
}
