import type { DomainEvent, EventData, EventType } from '../../src/events/event-types.js';
import type { SubscriptionObservationData } from '../../src/events/subscription.events.js';
import {
  type Translation,
  type TranslationOptions,
  translateStripeEvent,
} from '../../src/stripe/translate/stripe-event.translator.js';

/** The settings of the default. */
export const TRANSLATION: TranslationOptions = {
  userIdMetadataKey: 'user_id',
  userIdPattern: null,
  account: null,
};

/** What the translator makes of a body, with the settings of the default. */
export function translated(body: unknown): Translation {
  return translateStripeEvent(body, TRANSLATION);
}

/** The event that a body is recorded as; fails when it is not. */
export function eventOf(body: unknown): DomainEvent {
  const translation = translated(body);
  if (translation.outcome !== 'recorded') throw new Error(`not recorded: ${JSON.stringify(translation)}`);
  return translation.event;
}

/** The data of the event that a body is recorded as, which must be of this type. */
export function dataOf<T extends EventType>(type: T, body: unknown): EventData<T> {
  const event = eventOf(body);
  if (event.type !== type) throw new Error(`recorded as ${event.type}, not as ${type}`);
  return event.data as EventData<T>;
}

/** What a body says of a subscription, whatever the event is called. */
export function observationOf(body: unknown): SubscriptionObservationData {
  const { type, data } = eventOf(body);
  if (!('previous' in data)) throw new Error(`${type} is no observation of a subscription`);
  return data;
}
