import type { CheckoutEventType, CheckoutObservationData } from '../events/checkout.events.js';
import type { DomainEvent } from '../events/event-types.js';
import type { GrantIssuedData, GrantRevokedData } from '../events/grant.events.js';
import type {
  CustomerInvoiceEventType,
  InvoiceEventType,
  InvoiceObservationData,
} from '../events/invoice.events.js';
import type { OverrideKind, OverrideRemovedData, OverrideSetData } from '../events/override.events.js';
import type { PaymentEventType } from '../events/payment.events.js';
import type {
  SubscriptionObservationData,
  SubscriptionObservationType,
} from '../events/subscription.events.js';

/** Identity of a fact: the Stripe event that told it, its Stripe type and its Stripe second (Unix seconds). */
export interface FactOrigin {
  readonly eventId: string;
  readonly stripeType: string;
  readonly created: number;
}

/** One sight of a subscription, with when and by which event it was seen. */
export interface Observation extends FactOrigin {
  readonly type: SubscriptionObservationType;
  readonly data: SubscriptionObservationData;
}

/** One sight of an invoice of a subscription; of a customer's invoice what it is to that subscription. */
export interface InvoiceObservation extends FactOrigin {
  readonly type: InvoiceEventType | CustomerInvoiceEventType;
  readonly data: InvoiceObservationData;
}

/** One sight of a checkout session. */
export interface CheckoutObservation extends FactOrigin {
  readonly type: CheckoutEventType;
  readonly data: CheckoutObservationData;
}

/** One sight of a payment: of an invoice that it paid, of a refund, a dispute or a warning. */
export type PaymentObservation = FactOrigin & Extract<DomainEvent, { type: PaymentEventType }>;

/**
 * Everything known of one subscription that access depends on: sets, each fact once by event id, in no order that
 * means anything. `checkouts` are the sessions that name it. `payments` is what was
 * told of payments of its invoices of which something was refunded or disputed; `customerDeleted` says that its customer was
 * seen deleted.
 */
export interface SubscriptionFacts {
  readonly subscription: string;
  readonly observations: readonly Observation[];
  readonly invoices: readonly InvoiceObservation[];
  readonly checkouts: readonly CheckoutObservation[];
  readonly payments: readonly PaymentObservation[];
  readonly customerDeleted: boolean;
}

/** A fact recorded by hand: the event that holds it, and when that was recorded (Unix milliseconds). */
export interface ByHandFact<Data> {
  readonly eventId: string;
  readonly recordedAt: number;
  readonly data: Data;
}

/** A grant, and who revoked it. */
export interface GrantFacts {
  readonly grant: string;
  readonly issued: ByHandFact<GrantIssuedData>;
  readonly revoked: ByHandFact<GrantRevokedData> | null;
}

/** What was set last of a key as a feature, or as a limit, and who removed it. */
export interface OverrideFacts {
  readonly key: string;
  readonly kind: OverrideKind;
  readonly set: ByHandFact<OverrideSetData>;
  readonly removed: ByHandFact<OverrideRemovedData> | null;
}

/** What a user has by hand; another object whenever there is more. */
export interface ByHandFacts {
  readonly grants: readonly GrantFacts[];
  readonly overrides: readonly OverrideFacts[];
}

/** What Tenure started a session to sell: a price, in units. */
export interface CheckoutStart extends FactOrigin {
  readonly price: string;
  readonly quantity: number | null;
}

/**
 * Everything known of a session of mode `payment`: sets, each fact once by event id. `started` is what Tenure started it to
 * sell, `payments` what was told of its payments once something of one of them was refunded or disputed.
 */
export interface PurchaseFacts {
  readonly session: string;
  readonly observations: readonly CheckoutObservation[];
  readonly started: CheckoutStart | null;
  readonly payments: readonly PaymentObservation[];
}

/** Everything access of one user is judged from: the subscriptions and purchases that are the user's, and what is given or set by hand, if anything is. */
export interface UserFacts {
  readonly subscriptions: readonly SubscriptionFacts[];
  readonly purchases?: readonly PurchaseFacts[] | undefined;
  readonly byHand?: ByHandFacts | undefined;
}
