import type { EventEnvelope } from '../../events/event-envelope.js';
import type { DomainEvent } from '../../events/event-types.js';
import {
  PAYMENT_EVENT_TYPES,
  type PaymentEventType,
  type PaymentRetrievedData,
} from '../../events/payment.events.js';
import type { PaymentObservation } from '../../policy/facts.js';
import { compareFactOrigins, compareText } from '../../policy/order.js';
import { factOriginOf } from './fact-rows.js';

/** An event that is about a payment. */
export type PaymentEvent = Extract<EventEnvelope, { type: PaymentEventType | 'PaymentRetrieved' }>;

const TYPES: ReadonlySet<string> = new Set([...PAYMENT_EVENT_TYPES, 'PaymentRetrieved']);

export function isPaymentEvent<Event extends DomainEvent>(
  event: Event,
): event is Extract<Event, { type: PaymentEvent['type'] }> {
  return TYPES.has(event.type);
}

/**
 * The fact that an event about a payment tells: of an answer of Stripe's API the one that a webhook would tell of the same
 * object. `null` where it says nothing of the payment: Stripe was asked, and named no invoice.
 */
export function paymentObservationOf(event: PaymentEvent): PaymentObservation | null {
  const origin = factOriginOf(event);
  if (event.type === 'PaymentRetrieved') {
    const told = toldByAnswer(event.data);
    return told === null ? null : { ...origin, ...told };
  }
  const { type, data } = event;
  return { ...origin, type, data } as PaymentObservation; // type and data come of one event
}

function toldByAnswer(shown: PaymentRetrievedData): Told | null {
  switch (shown.object) {
    case 'invoice_payment': {
      const { object: _, ...data } = shown;
      return { type: 'PaymentAttachedToInvoice', data };
    }
    case 'charge': {
      const { object: _, ...data } = shown;
      return { type: 'PaymentRefunded', data };
    }
    case 'dispute': {
      const { object: _, ...data } = shown;
      return { type: 'PaymentDisputed', data };
    }
    case 'early_fraud_warning': {
      const { object: _, ...data } = shown;
      return { type: 'PaymentWarned', data };
    }
    case 'none':
      return null;
  }
}

type Told = Extract<DomainEvent, { type: PaymentEventType }>;

/** Whether an observation is of what may take back a payment. */
export function isTrouble({ type }: Pick<DomainEvent, 'type'>): boolean {
  return type !== 'PaymentAttachedToInvoice' && type !== 'PaymentWarned';
}

/** The early fraud warnings that, as last seen, can still be acted on, by id; `observations` in any order. */
export function warningsToAct(observations: readonly PaymentObservation[]): readonly Warning[] {
  return [...newestWarnings(observations).values()]
    .filter(({ data }) => data.actionable)
    .sort((a, b) => compareText(a.data.warning, b.data.warning));
}

/**
 * The newest sight of each early fraud warning, by its id: by second; within one what was retrieved first, and what can be acted on
 * before what no longer can, which Stripe does not take back.
 */
export function newestWarnings(observations: readonly PaymentObservation[]): ReadonlyMap<string, Warning> {
  const sights = observations.filter((told) => told.type === 'PaymentWarned');
  sights.sort(
    (a, b) =>
      a.created - b.created ||
      delivered(a) - delivered(b) ||
      Number(b.data.actionable) - Number(a.data.actionable) ||
      compareFactOrigins(a, b),
  );
  return new Map(sights.map((sight) => [sight.data.warning, sight]));
}

function delivered({ stripeType }: Warning): 0 | 1 {
  return stripeType === '' ? 0 : 1;
}

type Warning = Extract<PaymentObservation, { type: 'PaymentWarned' }>;
