import type { PlanCatalog } from '../../src/events/catalog.events.js';
import type {
  CheckoutObservation,
  InvoiceObservation,
  Observation,
  PaymentObservation,
} from '../../src/policy/facts.js';
import { judge } from '../../src/policy/judge.js';
import { byHandAfter } from './by-hand-events.js';
import { type Facts, subscriptionsByOwner } from './histories.js';
import type { ToRecord } from './projected-log.js';

/** A recorded event, from when it was known, and when it happened (Unix ms; `null`: it holds for all times). */
interface Dated {
  readonly recorded: ToRecord;
  readonly known: number;
  readonly happened: number | null;
}

/** Dates every event of a log: known from the greatest time recorded so far, happened at Stripe's second if it has one. */
function dated(log: readonly ToRecord[]): readonly Dated[] {
  let known = 0;
  return log.map((recorded) => {
    const { event, origin, at } = recorded;
    known = Math.max(known, event.type === 'AccessDeadlineReached' ? Date.parse(event.data.at) : at);
    const happened = /Linked|Unlinked/.test(event.type)
      ? null
      : Math.min(origin === null ? startOf(recorded) : origin.created * 1_000, known);
    return { recorded, known, happened };
  });
}

/** A grant happens at its start, where it has one; what else is not from Stripe when it is recorded. */
function startOf({ event, at }: ToRecord): number {
  return event.type === 'GrantIssued' && event.data.startsAt !== null ? Date.parse(event.data.startsAt) : at;
}

/** What a user could do at `at` by what was known at `knownAt`, and when the first of it happened, judged from scratch. */
export function judgedAsOf(
  log: readonly ToRecord[],
  userId: string,
  { at, knownAt }: { readonly at: number; readonly knownAt: number },
): { readonly entitlement: object; readonly since: number | null } {
  const knownThen = dated(log).filter(({ known }) => known <= knownAt);
  const happenedThen = knownThen.filter(({ happened }) => happened === null || happened <= at);
  const [inForce, first] = [happenedThen, dated(log)].map((some) =>
    some.flatMap(({ recorded: { event } }) =>
      event.type === 'PlanCatalogPublished' ? [event.data.catalog] : [],
    ),
  );
  const catalog: PlanCatalog | undefined = inForce?.at(-1) ?? first?.[0];
  if (catalog === undefined) throw new Error('a log without a catalogue');
  const subscriptions = ownedBy(userId, happenedThen);
  const byHand = byHandAfter(
    happenedThen.map(({ recorded }) => recorded),
    userId,
  );
  const ever = new Set(ownedBy(userId, knownThen).map(({ subscription }) => subscription));
  const moments = knownThen.flatMap(({ recorded: { event }, happened }) => {
    const { data } = event;
    const lines = 'lines' in data ? data.lines.map(({ subscription }) => subscription) : [];
    const about = 'subscription' in data ? [data.subscription] : lines;
    const names = ['userId', 'metadataUserId', 'clientReferenceId'].some(
      (name) => Reflect.get(data, name) === userId,
    );
    const isOfUser = names || about.some((subscription) => ever.has(subscription ?? ''));
    return happened !== null && isOfUser && event.type !== 'AccessDeadlineReached' ? [happened] : [];
  });
  return {
    entitlement: judge({ subscriptions, byHand }, catalog, at).entitlement,
    since: moments.length === 0 ? null : Math.min(...moments),
  };
}

function ownedBy(userId: string, some: readonly Dated[]) {
  const links = new Map<string, string | null>();
  for (const { recorded } of some) {
    const { type, data } = recorded.event;
    if (type === 'CustomerLinked') links.set(data.customer, data.userId);
    if (type === 'CustomerUnlinked') links.set(data.customer, null);
    if (type === 'SubscriptionLinked') links.set(data.subscription, data.userId);
    if (type === 'SubscriptionUnlinked') links.set(data.subscription, null);
  }
  const facts = factsOf(some.map(({ recorded }) => recorded));
  return (subscriptionsByOwner(facts, links).get(userId) ?? []).map((each) => each);
}

/** Facts of events, each once by the Stripe event that recorded it. */
function factsOf(log: readonly ToRecord[]): Facts {
  const observations: Observation[] = [];
  const invoices: InvoiceObservation[] = [];
  const checkouts: CheckoutObservation[] = [];
  const payments: PaymentObservation[] = [];
  const customers: Facts['customers'][number][] = [];
  const seen = new Set<string>();
  for (const { event, origin } of log) {
    if (origin === null || seen.has(origin.eventId)) continue;
    seen.add(origin.eventId);
    const { type, data } = event;
    switch (type) {
      case 'CustomerObserved':
      case 'CustomerDeleted':
        customers.push({ ...origin, customer: data.customer, userId: data.userId });
        break;
      case 'CheckoutCompleted':
      case 'CheckoutPaymentSucceeded':
      case 'CheckoutPaymentFailed':
      case 'CheckoutExpired':
        checkouts.push({ ...origin, type, data });
        break;
      case 'CustomerInvoicePaid':
      case 'CustomerInvoicePaymentFailed':
      case 'CustomerInvoiceFinalized':
      case 'CustomerInvoiceUncollectible':
      case 'CustomerInvoiceVoided':
        for (const id of new Set(data.lines.map(({ subscription }) => subscription))) {
          if (id === null) continue;
          const lines = data.lines.filter(({ subscription }) => subscription === id);
          invoices.push({ ...origin, type, data: { ...data, subscription: id, lines } });
        }
        break;
      case 'SubscriptionPaid':
      case 'SubscriptionPaymentFailed':
      case 'SubscriptionInvoiceFinalized':
      case 'SubscriptionInvoiceUncollectible':
      case 'SubscriptionInvoiceVoided':
        invoices.push({ ...origin, type, data });
        break;
      default:
        if ('payment' in data) payments.push({ ...origin, type, data } as PaymentObservation);
        else if ('items' in data) observations.push({ ...origin, type, data } as Observation);
    }
  }
  return { observations, invoices, checkouts, payments, customers };
}
