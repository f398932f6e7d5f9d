import type { EventEnvelope } from '../../events/event-envelope.js';
import type { GrantIssuedData } from '../../events/grant.events.js';
import type { OverrideSetData } from '../../events/override.events.js';
import { saidOfPayment } from './said-of-payment.js';

/** What an event says, in a line of plain words; amounts are minor units, as Stripe has them. */
export function said(event: EventEnvelope): string {
  switch (event.type) {
    case 'AccessDeadlineReached':
      return `the clock reached ${event.data.at}`;
    case 'PlanCatalogPublished':
      return `a plan catalogue was published (${event.data.hash.slice(0, 12)})`;
    case 'EventSkipped':
      return `${event.data.projection} goes past ${event.data.skipped.type} of ${event.data.skipped.stream}`;
    case 'AuditAccessed':
      return `${event.data.reader} looked at ${event.data.kind}`;
    case 'UserErased':
      return 'a user was erased';
    case 'UserReadmitted':
      return 'a user who was erased was taken in again';
    case 'CustomerLinked':
      return `${event.data.customer} belongs to ${event.data.userId}${because(event.data.reason)}`;
    case 'SubscriptionLinked':
      return `${event.data.subscription} belongs to ${event.data.userId}${because(event.data.reason)}`;
    case 'CheckoutLinked':
      return `${event.data.session} belongs to ${event.data.userId}${because(event.data.reason)}`;
    case 'CheckoutUnlinked':
      return `${event.data.session} belongs to whom the facts say${because(event.data.reason)}`;
    case 'CustomerUnlinked':
      return `${event.data.customer} belongs to whom the facts say${because(event.data.reason)}`;
    case 'SubscriptionUnlinked':
      return `${event.data.subscription} belongs to whom the facts say${because(event.data.reason)}`;
    case 'GrantIssued':
      return `${event.data.actor} gives ${event.data.userId} ${given(event.data)}${because(event.data.reason)}`;
    case 'GrantRevoked':
      return `${event.data.actor} takes the grant ${event.data.grant} back${because(event.data.reason)}`;
    case 'OverrideSet':
      return `${event.data.actor} sets ${event.data.key} of ${event.data.userId}: ${setting(event.data)}${because(event.data.reason)}`;
    case 'OverrideRemoved':
      return `${event.data.actor} removes what was set of ${event.data.key} of ${event.data.userId}${because(event.data.reason)}`;
    case 'CustomerObserved':
      return `${event.data.customer} names ${event.data.userId ?? 'nobody'}`;
    case 'CustomerRetrieved':
      if (event.data.gone) return `Stripe no longer has ${event.data.customer}`;
      return event.data.deleted
        ? `${event.data.customer} is deleted at Stripe`
        : `${event.data.customer} names ${event.data.userId ?? 'nobody'}`;
    case 'CustomerDeleted':
      return `${event.data.customer} was deleted`;
    case 'CheckoutStarted': {
      const { userId, purpose, plan, interval, session } = event.data;
      return `${userId} began the ${purpose} of ${plan}, ${interval}, by ${session}`;
    }
    case 'UsageReported':
      return `${event.data.userId} has ${event.data.value} of ${event.data.limit} in use`;
    case 'PlanChangeRequested': {
      const { userId, plan, interval, quantity, when } = event.data;
      const what = [plan, ...(interval === null ? [] : [interval]), `x ${quantity}`].join(' ');
      return `${userId} asked for ${what} ${when === 'now' ? 'at once' : "from the period's end on"}`;
    }
    case 'PlanChangeWithdrawn':
      return `${event.data.userId} keeps ${event.data.subscription} as it is`;
    case 'PaymentAttachedToInvoice':
    case 'PaymentRefunded':
    case 'PaymentRefundFailed':
    case 'PaymentDisputed':
    case 'DisputeClosed':
    case 'PaymentWarned':
    case 'PaymentRetrieved':
      return saidOfPayment(event);
    default: {
      const { data } = event;
      if ('session' in data) {
        return `the session ${data.session} is ${data.status ?? 'unknown'}, ${data.paymentStatus ?? 'unknown'}`;
      }
      if ('lines' in data) {
        const prices = data.lines.flatMap(({ price }) => price ?? []).join(', ');
        const paid = `${data.amountPaid ?? 0} of ${data.total ?? 0} ${data.currency ?? ''}`.trimEnd();
        return `the invoice ${data.invoice} is ${data.status}, ${paid} paid${prices && ` for ${prices}`}`;
      }
      if ('items' in data) {
        if ('gone' in data && data.gone) return `Stripe no longer has ${data.subscription}`;
        const items = data.items.map(({ price, quantity }) => `${price} x ${quantity ?? 1}`).join(', ');
        return `${data.subscription} is ${data.status} with ${items || 'nothing'}`;
      }
      return exhausted(data);
    }
  }
}

function given({ plan, addons, features, limits, startsAt, expiresAt }: GrantIssuedData): string {
  const all = [
    ...(plan === null ? [] : [plan]),
    ...Object.entries(addons).map(([name, units]) => `${units} x ${name}`),
    ...features,
    ...Object.entries(limits).map(([key, limit]) => `${key} ${limit}`),
  ].join(', ');
  const from = startsAt === null ? '' : ` from ${startsAt}`;
  return `${all}${from}${until(expiresAt)}`;
}

function setting({ value, add, expiresAt }: OverrideSetData): string {
  const what = typeof value === 'boolean' ? (value ? 'on' : 'off') : (value ?? `${add} on top`);
  return `${what}${until(expiresAt)}`;
}

function until(end: string | null): string {
  return end === null ? '' : ` until ${end}`;
}

function because(reason: string | null): string {
  return reason === null ? '' : `: ${reason}`;
}

function exhausted(data: never): never {
  throw new TypeError(`an event type without words: ${JSON.stringify(data)}`);
}
