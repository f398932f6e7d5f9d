import type { StripeStream } from '../../commands/recording.js';
import type { DomainEvent } from '../../events/event-types.js';
import type { ClaimReading } from '../../events/user-id.js';
import type { StripeObjectRef } from '../gateway/object-kind.js';
import { readCheckout } from './checkout.translation.js';
import { readInvoice } from './invoice.translation.js';
import { readShownPayment } from './payment.translation.js';
import { claimInMetadata, type JsonObject, OutOfRangeError, TooManyEntriesError } from './read-json.js';
import { readSubscription } from './subscription.translation.js';

/** Why nothing is recorded of what Stripe's API shows. */
export type IgnoredAnswer = 'no_subscription' | 'no_payment';

/** What an answer of Stripe's API means to us: one event for one stream, nothing, or something that cannot be. */
export type RetrievedTranslation =
  | {
      readonly outcome: 'recorded';
      readonly stream: StripeStream;
      readonly event: DomainEvent;
    }
  | { readonly outcome: 'ignored'; readonly reason: IgnoredAnswer }
  | { readonly outcome: 'malformed'; readonly problems: readonly string[] };

/**
 * Translates an object as Stripe's API shows it, with the same reading and the same refusals as of what a webhook brings.
 * Pure; never throws for JSON. `answeredAt` is the second (Unix) of the answer.
 */
export function translateRetrieved(
  { kind, id }: StripeObjectRef,
  object: JsonObject,
  { answeredAt, livemode, claims }: { answeredAt: number; livemode: boolean; claims: ClaimReading },
): RetrievedTranslation {
  if (object.id !== id) return malformed(`another ${kind} came`);
  if (typeof object.livemode === 'boolean' && object.livemode !== livemode) {
    return malformed(`the ${kind} is of the other mode`);
  }
  try {
    return translate(kind, object, answeredAt, claims);
  } catch (error) {
    if (error instanceof OutOfRangeError || error instanceof TooManyEntriesError) {
      return malformed(error.message);
    }
    throw error;
  }
}

function translate(
  kind: StripeObjectRef['kind'],
  object: JsonObject,
  answeredAt: number,
  claims: ClaimReading,
): RetrievedTranslation {
  switch (kind) {
    case 'subscription': {
      const data = readSubscription(object, undefined, claims);
      if ('problems' in data) return malformed(...data.problems);
      const stream = { category: 'subscription', id: data.subscription } as const;
      return {
        outcome: 'recorded',
        stream,
        event: { type: 'SubscriptionRetrieved', data: { ...data, gone: false } },
      };
    }
    case 'invoice': {
      const read = readInvoice(object, answeredAt);
      if (read === 'no_subscription') return { outcome: 'ignored', reason: 'no_subscription' };
      if ('problems' in read) return malformed(...read.problems);
      return read.of === 'subscription'
        ? {
            outcome: 'recorded',
            stream: { category: 'subscription', id: read.data.subscription },
            event: { type: 'SubscriptionInvoiceRetrieved', data: read.data },
          }
        : {
            outcome: 'recorded',
            stream: { category: 'customer', id: read.data.customer },
            event: { type: 'CustomerInvoiceRetrieved', data: read.data },
          };
    }
    case 'customer': {
      const data = {
        customer: String(object.id),
        userId: claimInMetadata(object, claims),
        deleted: object.deleted === true,
        gone: false,
      };
      const stream = { category: 'customer', id: data.customer } as const;
      return { outcome: 'recorded', stream, event: { type: 'CustomerRetrieved', data } };
    }
    case 'checkout': {
      const data = readCheckout(object, claims);
      if ('problems' in data) return malformed(...data.problems);
      const stream = { category: 'checkout', id: data.session } as const;
      return { outcome: 'recorded', stream, event: { type: 'CheckoutRetrieved', data } };
    }
    case 'invoice_payment':
    case 'charge':
    case 'dispute':
    case 'early_fraud_warning': {
      const read = readShownPayment(kind, object);
      if ('ignored' in read) return { outcome: 'ignored', reason: 'no_payment' };
      if ('problems' in read) return malformed(...read.problems);
      const stream = { category: 'payment', id: read.payment } as const;
      return { outcome: 'recorded', stream, event: { type: 'PaymentRetrieved', data: read.data } };
    }
  }
}

function malformed(...problems: readonly string[]): RetrievedTranslation {
  return { outcome: 'malformed', problems };
}
