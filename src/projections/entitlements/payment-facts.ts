import type { EventEnvelope } from '../../events/event-envelope.js';
import type { DomainEvent } from '../../events/event-types.js';
import { PAYMENT_EVENT_TYPES, type PaymentEventType } from '../../events/payment.events.js';
import type { PaymentObservation } from '../../policy/facts.js';
import { compareFactOrigins, compareText } from '../../policy/order.js';
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

/** The early fraud warnings that, as last seen, can still be acted on, by id; `observations` in any order. */
export function warningsToAct(observations: readonly PaymentObservation[]): readonly Warning[] {
  const newest = new Map<string, Warning>();
  for (const observation of [...observations].sort(compareFactOrigins)) {
    if (observation.type === 'PaymentWarned') newest.set(observation.data.warning, observation);
  }
  return [...newest.values()]
    .filter(({ data }) => data.actionable)
    .sort((a, b) => compareText(a.data.warning, b.data.warning));
}

type Warning = Extract<PaymentObservation, { type: 'PaymentWarned' }>;
