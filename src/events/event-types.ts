import { z } from 'zod';
import { auditAccessedSchema } from './audit.events.js';
import { planCatalogPublishedSchema } from './catalog.events.js';
import {
  checkoutLinkedSchema,
  checkoutObservationSchema,
  checkoutStartedSchema,
  checkoutUnlinkedSchema,
} from './checkout.events.js';
import {
  customerLinkedSchema,
  customerObservationSchema,
  customerRetrievedSchema,
  customerUnlinkedSchema,
  subscriptionLinkedSchema,
  subscriptionUnlinkedSchema,
} from './customer.events.js';
import { accessDeadlineReachedSchema } from './deadline.events.js';
import { erasureSchema } from './erasure.events.js';
import { grantIssuedSchema, grantRevokedSchema } from './grant.events.js';
import { customerInvoiceObservationSchema, invoiceObservationSchema } from './invoice.events.js';
import { overrideRemovedSchema, overrideSetSchema } from './override.events.js';
import {
  chargeObservationSchema,
  disputeObservationSchema,
  failedRefundSchema,
  fraudWarningSchema,
  paymentAttachmentSchema,
  paymentRetrievedSchema,
} from './payment.events.js';
import { planChangeRequestedSchema, planChangeWithdrawnSchema } from './plan-change.events.js';
import { eventSkippedSchema } from './projection.events.js';
import { subscriptionObservationSchema, subscriptionRetrievedSchema } from './subscription.events.js';
import { usageReportedSchema } from './usage.events.js';

/**
 * One event type as it is written today. `schemaVersion` goes up whenever the shape of the data changes, together with
 * an upcaster from the version before; `event` is the schema of `{type, data}`.
 */
function eventType<T extends string, D extends z.ZodType>(type: T, schemaVersion: number, data: D) {
  return { type, schemaVersion, event: z.strictObject({ type: z.literal(type), data }) };
}

/** Every event type there is (DESIGN 4). These are storage formats: a name, once written, stays. */
export const EVENT_TYPES = {
  SubscriptionStarted: eventType('SubscriptionStarted', 1, subscriptionObservationSchema),
  SubscriptionActivated: eventType('SubscriptionActivated', 1, subscriptionObservationSchema),
  SubscriptionPlanChanged: eventType('SubscriptionPlanChanged', 1, subscriptionObservationSchema),
  SubscriptionRenewed: eventType('SubscriptionRenewed', 1, subscriptionObservationSchema),
  SubscriptionPastDue: eventType('SubscriptionPastDue', 1, subscriptionObservationSchema),
  SubscriptionRecovered: eventType('SubscriptionRecovered', 1, subscriptionObservationSchema),
  SubscriptionSuspended: eventType('SubscriptionSuspended', 1, subscriptionObservationSchema),
  SubscriptionResumed: eventType('SubscriptionResumed', 1, subscriptionObservationSchema),
  SubscriptionCancellationScheduled: eventType(
    'SubscriptionCancellationScheduled',
    1,
    subscriptionObservationSchema,
  ),
  SubscriptionCancellationWithdrawn: eventType(
    'SubscriptionCancellationWithdrawn',
    1,
    subscriptionObservationSchema,
  ),
  SubscriptionTrialEnding: eventType('SubscriptionTrialEnding', 1, subscriptionObservationSchema),
  SubscriptionCanceled: eventType('SubscriptionCanceled', 1, subscriptionObservationSchema),
  SubscriptionExpired: eventType('SubscriptionExpired', 1, subscriptionObservationSchema),
  SubscriptionUpdated: eventType('SubscriptionUpdated', 1, subscriptionObservationSchema),
  SubscriptionRetrieved: eventType('SubscriptionRetrieved', 2, subscriptionRetrievedSchema),

  SubscriptionPaid: eventType('SubscriptionPaid', 2, invoiceObservationSchema),
  SubscriptionPaymentFailed: eventType('SubscriptionPaymentFailed', 2, invoiceObservationSchema),
  SubscriptionInvoiceFinalized: eventType('SubscriptionInvoiceFinalized', 1, invoiceObservationSchema),
  SubscriptionInvoiceUncollectible: eventType(
    'SubscriptionInvoiceUncollectible',
    2,
    invoiceObservationSchema,
  ),
  SubscriptionInvoiceVoided: eventType('SubscriptionInvoiceVoided', 2, invoiceObservationSchema),
  SubscriptionInvoiceRetrieved: eventType('SubscriptionInvoiceRetrieved', 1, invoiceObservationSchema),

  SubscriptionLinked: eventType('SubscriptionLinked', 1, subscriptionLinkedSchema),
  SubscriptionUnlinked: eventType('SubscriptionUnlinked', 1, subscriptionUnlinkedSchema),

  CustomerObserved: eventType('CustomerObserved', 1, customerObservationSchema),
  CustomerDeleted: eventType('CustomerDeleted', 1, customerObservationSchema),
  CustomerInvoicePaid: eventType('CustomerInvoicePaid', 1, customerInvoiceObservationSchema),
  CustomerInvoicePaymentFailed: eventType(
    'CustomerInvoicePaymentFailed',
    1,
    customerInvoiceObservationSchema,
  ),
  CustomerInvoiceFinalized: eventType('CustomerInvoiceFinalized', 1, customerInvoiceObservationSchema),
  CustomerInvoiceUncollectible: eventType(
    'CustomerInvoiceUncollectible',
    1,
    customerInvoiceObservationSchema,
  ),
  CustomerInvoiceVoided: eventType('CustomerInvoiceVoided', 1, customerInvoiceObservationSchema),
  CustomerInvoiceRetrieved: eventType('CustomerInvoiceRetrieved', 1, customerInvoiceObservationSchema),
  CustomerRetrieved: eventType('CustomerRetrieved', 2, customerRetrievedSchema),
  CustomerLinked: eventType('CustomerLinked', 1, customerLinkedSchema),
  CustomerUnlinked: eventType('CustomerUnlinked', 1, customerUnlinkedSchema),

  CheckoutStarted: eventType('CheckoutStarted', 1, checkoutStartedSchema),
  CheckoutCompleted: eventType('CheckoutCompleted', 2, checkoutObservationSchema),
  CheckoutPaymentSucceeded: eventType('CheckoutPaymentSucceeded', 2, checkoutObservationSchema),
  CheckoutPaymentFailed: eventType('CheckoutPaymentFailed', 2, checkoutObservationSchema),
  CheckoutExpired: eventType('CheckoutExpired', 2, checkoutObservationSchema),
  CheckoutRetrieved: eventType('CheckoutRetrieved', 2, checkoutObservationSchema),
  CheckoutLinked: eventType('CheckoutLinked', 1, checkoutLinkedSchema),
  CheckoutUnlinked: eventType('CheckoutUnlinked', 1, checkoutUnlinkedSchema),

  PaymentAttachedToInvoice: eventType('PaymentAttachedToInvoice', 1, paymentAttachmentSchema),
  PaymentRefunded: eventType('PaymentRefunded', 1, chargeObservationSchema),
  PaymentRefundFailed: eventType('PaymentRefundFailed', 1, failedRefundSchema),
  PaymentDisputed: eventType('PaymentDisputed', 1, disputeObservationSchema),
  DisputeClosed: eventType('DisputeClosed', 1, disputeObservationSchema),
  PaymentWarned: eventType('PaymentWarned', 1, fraudWarningSchema),
  PaymentRetrieved: eventType('PaymentRetrieved', 1, paymentRetrievedSchema),

  GrantIssued: eventType('GrantIssued', 1, grantIssuedSchema),
  GrantRevoked: eventType('GrantRevoked', 1, grantRevokedSchema),
  OverrideSet: eventType('OverrideSet', 1, overrideSetSchema),
  OverrideRemoved: eventType('OverrideRemoved', 1, overrideRemovedSchema),

  PlanChangeRequested: eventType('PlanChangeRequested', 1, planChangeRequestedSchema),
  PlanChangeWithdrawn: eventType('PlanChangeWithdrawn', 1, planChangeWithdrawnSchema),

  UsageReported: eventType('UsageReported', 1, usageReportedSchema),

  AccessDeadlineReached: eventType('AccessDeadlineReached', 1, accessDeadlineReachedSchema),

  UserErased: eventType('UserErased', 1, erasureSchema),
  UserReadmitted: eventType('UserReadmitted', 1, erasureSchema),

  PlanCatalogPublished: eventType('PlanCatalogPublished', 4, planCatalogPublishedSchema),

  EventSkipped: eventType('EventSkipped', 1, eventSkippedSchema),

  AuditAccessed: eventType('AuditAccessed', 1, auditAccessedSchema),
};

export type EventType = keyof typeof EVENT_TYPES;

/** Types whose events are answers of Stripe's API, asked by us (DESIGN 5.4). Each is known by what it was asked about. */
export const RETRIEVED_TYPES = [
  'SubscriptionRetrieved',
  'SubscriptionInvoiceRetrieved',
  'CustomerInvoiceRetrieved',
  'CustomerRetrieved',
  'CheckoutRetrieved',
  'PaymentRetrieved',
] as const satisfies readonly EventType[];

/** Whether events of this type are answers of Stripe's API. */
export function isRetrievedType(type: string): boolean {
  return (RETRIEVED_TYPES as readonly string[]).includes(type);
}

/** What an event says: the closed union of every type with its data. */
export type DomainEvent = {
  [T in EventType]: z.infer<(typeof EVENT_TYPES)[T]['event']>;
}[EventType];

/** The data of the event type `T`. */
export type EventData<T extends EventType> = Extract<DomainEvent, { type: T }>['data'];

/** Version that data of this type is written in today; goes into `metadata.schemaVersion`. */
export function currentSchemaVersion(type: EventType): number {
  return EVENT_TYPES[type].schemaVersion;
}
