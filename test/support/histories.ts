import fc from 'fast-check';
import { type PlanCatalog, planCatalogSchema } from '../../src/events/catalog.events.js';
import type { DomainEvent } from '../../src/events/event-types.js';
import type { CustomerInvoiceEventType, InvoiceEventType } from '../../src/events/invoice.events.js';
import { type CustomerObservation, isCustomerDeleted } from '../../src/policy/customer-sights.js';
import type { Entitlement } from '../../src/policy/entitlement.js';
import type {
  CheckoutObservation,
  FactOrigin,
  InvoiceObservation,
  Observation,
  PaymentObservation,
  SubscriptionFacts,
} from '../../src/policy/facts.js';
import { judge } from '../../src/policy/judge.js';
import {
  customerOfSubscription,
  customerWord,
  NO_CUSTOMER,
  subscriptionOwner,
} from '../../src/policy/ownership.js';
import { byHandAfter, byHandEvents } from './by-hand-events.js';
import { catalogs } from './lives.catalog.js';
import { DAWN, DAY, MONTH, observationEvent } from './lives.facts.js';
import { type Life, life, randomFrom } from './lives.js';
import type { ToRecord } from './projected-log.js';

/** What happened at a whole service, in the order in which it is recorded, and the facts that it tells. */
export interface History {
  readonly events: readonly ToRecord[];
  readonly facts: Facts;
}

/** What was told, in any order. */
export interface Facts {
  readonly observations: readonly Observation[];
  readonly invoices: readonly InvoiceObservation[];
  readonly checkouts: readonly CheckoutObservation[];
  readonly payments: readonly PaymentObservation[];
  readonly customers: readonly (CustomerObservation & { readonly customer: string })[];
}

/** An event, and the second around which it happens. */
interface Happening extends Pick<ToRecord, 'event' | 'origin'> {
  readonly second: number;
}

/** Users of all histories; their order in UTF-16 and in UTF-8 differs. */
export const USERS: readonly string[] = ['anna', 'bert', 'cleo', 'ünal', 'u\u{fb00}', 'u\u{1f600}', 'zoe'];

/**
 * Lives of several users, whose subscriptions are claimed by metadata, customers and checkouts that need not agree,
 * linked and unlinked by ops, under catalogues that change. Some facts come before the first catalogue, some late.
 */
export function history(): fc.Arbitrary<History> {
  return fc
    .record({
      lives: fc.array(life(), { minLength: 3, maxLength: 5 }),
      published: fc.array(catalogs(), { minLength: 2, maxLength: 3 }),
      seed: fc.nat(),
    })
    .map(({ lives, published, seed }) => {
      const luck = new Luck(seed);
      const households = lives.map((each, n) => household(each, n, luck));
      const facts: Facts = {
        observations: households.flatMap(({ observations }) => observations),
        invoices: households.flatMap(({ invoices }) => invoices),
        checkouts: households.flatMap(({ checkouts }) => checkouts),
        payments: households.flatMap(({ payments }) => payments),
        customers: households.flatMap(({ customers }) => customers),
      };
      const happenings = [
        ...toldOf(facts),
        ...lives.flatMap((_, n) => [...doneByOps(n, luck), ...givenByOps(n, luck)]),
        ...published.map((catalog, n) => publication(catalog, n, luck)),
      ];
      const events = inOrderOfArrival(happenings, luck);
      return { events, facts, [fc.toStringMethod]: () => `${events.length} events of ${lives.length} lives` };
    });
}

/** What each of `USERS` may do after a history, by the pure policy over the whole set of facts. */
export function policyAfter({ events, facts }: History): ReadonlyMap<string, Entitlement> {
  const links = new Map<string, string | null>();
  let catalog: PlanCatalog | null = null;
  for (const { event } of events) {
    if (event.type === 'PlanCatalogPublished') catalog = event.data.catalog;
    if (event.type === 'CustomerLinked') links.set(event.data.customer, event.data.userId);
    if (event.type === 'CustomerUnlinked') links.set(event.data.customer, null);
    if (event.type === 'SubscriptionLinked') links.set(event.data.subscription, event.data.userId);
    if (event.type === 'SubscriptionUnlinked') links.set(event.data.subscription, null);
  }
  if (catalog === null) throw new Error('a history without a catalogue');
  const inForce = catalog;
  const owned = subscriptionsByOwner(facts, links);
  const now = Math.max(...events.map(({ at }) => at));
  return new Map(
    USERS.map((userId) => {
      const subscriptions = owned.get(userId) ?? [];
      const byHand = byHandAfter(events, userId);
      return [userId, judge({ subscriptions, byHand }, inForce, now).entitlement];
    }),
  );
}

/** The subscriptions that facts tell of, by the user whose they are; `links` are the latest of ops, by customer and subscription. */
export function subscriptionsByOwner(
  facts: Facts,
  links: ReadonlyMap<string, string | null>,
): ReadonlyMap<string | null, readonly SubscriptionFacts[]> {
  const named = (id: string) => (fact: Observation | InvoiceObservation | CheckoutObservation) =>
    fact.data.subscription === id;
  const ofCustomer = (customer: string | null) =>
    facts.customers.filter((each) => each.customer === customer);
  const isDeleted = (customer: string | null) => isCustomerDeleted(ofCustomer(customer));
  // What was not seen itself has an owner, too: a checkout may name one, and its invoices are of that user.
  const told = [...facts.observations, ...facts.invoices, ...facts.checkouts];
  const ids = new Set(told.flatMap(({ data }) => data.subscription ?? []));
  const subscriptions = [...ids].map((id) => ({
    subscription: id,
    observations: facts.observations.filter(named(id)),
    invoices: facts.invoices.filter(named(id)),
    checkouts: facts.checkouts.filter(named(id)),
    // Which of them are of its invoices the policy says.
    payments: facts.payments,
    customerDeleted: isDeleted(customerOfSubscription(facts.observations.filter(named(id)))),
  }));
  const ownerOf = ({ subscription, observations, checkouts }: (typeof subscriptions)[number]) => {
    const customer = customerOfSubscription(observations);
    const claims = {
      link: links.get(customer ?? '') ?? null,
      observations: ofCustomer(customer),
      checkouts: facts.checkouts.filter(({ data }) => data.customer === customer),
      subscriptions: subscriptions
        .filter((each) => customerOfSubscription(each.observations) === customer)
        .flatMap((each) => each.observations),
    };
    return subscriptionOwner(
      { link: links.get(subscription) ?? null, observations, checkouts },
      customer === null ? NO_CUSTOMER : customerWord(claims),
    );
  };
  const owned = new Map<string | null, SubscriptionFacts[]>();
  for (const each of subscriptions) {
    const owner = ownerOf(each);
    owned.set(owner, [...(owned.get(owner) ?? []), each]);
  }
  return owned;
}

/** A life under ids of its own, with claims that need not agree and a second customer that now and then is named. */
function household({ facts }: Life, n: number, luck: Luck): Facts {
  const own = (id: string): string => `${id}_${n}`;
  const main = USERS[n % USERS.length] ?? 'anna';
  const claims = luck.of([[main, main, main, null], [null], [main, null, ...USERS]] satisfies (
    | string
    | null
  )[][]);
  const customers = [`cus_${n}`, `cus_${n}`, `cus_${n}`, `cus_${n}`, `cus_${n}b`, null] as const;
  // Stripe's event ids are unique, those of one life only within a subscription.
  const idOf = (fact: Observation | InvoiceObservation | CheckoutObservation): string =>
    own(`${fact.eventId}_${fact.data.subscription}`);
  return {
    observations: facts.subscriptions.flatMap(({ observations }) =>
      observations.flatMap((fact) => {
        const ids = { subscription: own(fact.data.subscription), customer: luck.of(customers) };
        const told = {
          ...fact,
          eventId: idOf(fact),
          data: { ...fact.data, ...ids, userId: luck.of(claims) },
        };
        return luck.of([true, false, false]) ? [told, seenAgain(told, luck.of([1, 60, DAY]))] : [told];
      }),
    ),
    invoices: facts.subscriptions.flatMap(({ invoices }) =>
      invoices.map((fact) => {
        const subscription = own(fact.data.subscription);
        const lines = fact.data.lines.map((line) => ({
          ...line,
          subscription: line.subscription === null ? null : own(line.subscription),
        }));
        const ids = {
          invoice: own(fact.data.invoice),
          paymentIntent: fact.data.paymentIntent === null ? null : own(fact.data.paymentIntent),
          charge: fact.data.charge === null ? null : own(fact.data.charge),
        };
        const told = { ...fact, eventId: idOf(fact), data: { ...fact.data, ...ids, subscription, lines } };
        return luck.of([true, true, false]) || fact.data.lines.length === 0
          ? told
          : throughCustomer(told, luck.of([`cus_${n}`, `cus_${n}b`]));
      }),
    ),
    checkouts: facts.subscriptions.flatMap(({ checkouts }) => {
      const customer = luck.of(customers);
      const claim = luck.of(claims);
      return checkouts.map((fact) => ({
        ...fact,
        eventId: idOf(fact),
        data: {
          ...fact.data,
          subscription: fact.data.subscription === null ? null : own(fact.data.subscription),
          session: own(fact.data.session),
          customer,
          metadataUserId: claim,
          clientReferenceId: luck.of([null, ...USERS]),
        },
      }));
    }),
    payments: facts.subscriptions.flatMap(({ payments }) => payments.map((fact) => renamed(fact, own))),
    customers: luck.times(5, (i) => ({
      customer: luck.of([`cus_${n}`, `cus_${n}b`]),
      eventId: `evt_cus${n}_${i}`,
      stripeType: luck.of(['customer.created', 'customer.updated', 'customer.deleted']),
      created: luck.second(),
      userId: luck.of([null, main, ...USERS]),
    })),
  };
}

/** A sight of a subscription so many seconds later, of which something was changed that nobody judges by. */
function seenAgain(fact: Observation, later: number): Observation {
  return {
    ...fact,
    eventId: `${fact.eventId}_again`,
    type: 'SubscriptionUpdated',
    stripeType: 'customer.subscription.updated',
    created: fact.created + later,
    data: { ...fact.data, previous: { names: ['metadata'], digest: fact.eventId } },
  };
}

/** What was told of a payment, under ids of its own; invoices of a life are numbered within it. */
function renamed(fact: PaymentObservation, own: (id: string) => string): PaymentObservation {
  const { data } = fact;
  const name = (id: string | null): string | null => (id === null ? null : own(id));
  const ids = {
    payment: own(data.payment),
    paymentIntent: name(data.paymentIntent),
    charge: name(data.charge),
    invoice: name(data.invoice),
    ...('paymentRecord' in data ? { paymentRecord: name(data.paymentRecord) } : {}),
  };
  return { ...fact, eventId: own(fact.eventId), data: { ...data, ...ids } } as PaymentObservation;
}

const OF_CUSTOMER: Readonly<Record<InvoiceEventType, CustomerInvoiceEventType>> = {
  SubscriptionPaid: 'CustomerInvoicePaid',
  SubscriptionPaymentFailed: 'CustomerInvoicePaymentFailed',
  SubscriptionInvoiceFinalized: 'CustomerInvoiceFinalized',
  SubscriptionInvoiceUncollectible: 'CustomerInvoiceUncollectible',
  SubscriptionInvoiceVoided: 'CustomerInvoiceVoided',
  SubscriptionInvoiceRetrieved: 'CustomerInvoiceRetrieved',
};

/** The same invoice, made for the customer: it names its subscription in its lines alone. */
function throughCustomer(fact: InvoiceObservation, customer: string): InvoiceObservation {
  const { subscription, lines } = fact.data;
  return {
    ...fact,
    type: isOfCustomer(fact.type) ? fact.type : OF_CUSTOMER[fact.type],
    data: { ...fact.data, customer, lines: lines.map((line) => ({ ...line, subscription })) },
  };
}

function isOfCustomer(type: InvoiceObservation['type']): type is CustomerInvoiceEventType {
  return (Object.values(OF_CUSTOMER) as readonly string[]).includes(type);
}

function invoiceEvent({ type, data }: InvoiceObservation): DomainEvent {
  if (!isOfCustomer(type)) return { type, data };
  const { subscription: _, customer, ...invoice } = data;
  if (customer === null) throw new Error('an invoice of a customer without one');
  return { type, data: { ...invoice, customer } };
}

function toldOf({ observations, invoices, checkouts, payments, customers }: Facts): readonly Happening[] {
  const happening = ({ eventId, stripeType, created }: FactOrigin, event: DomainEvent): Happening => ({
    event,
    origin: { eventId, stripeType, created },
    second: created,
  });
  return [
    ...observations.map((fact) => happening(fact, observationEvent(fact))),
    ...invoices.map((fact) => happening(fact, invoiceEvent(fact))),
    ...checkouts.map((fact) => happening(fact, { type: fact.type, data: fact.data })),
    ...payments.map((fact) => happening(fact, { type: fact.type, data: fact.data } as DomainEvent)),
    ...customers.map((fact) =>
      happening(fact, {
        type: fact.stripeType === 'customer.deleted' ? 'CustomerDeleted' : 'CustomerObserved',
        data: { customer: fact.customer, userId: fact.userId },
      }),
    ),
  ];
}

/** Links and their withdrawals, of customers and subscriptions of a household. */
function doneByOps(n: number, luck: Luck): readonly Happening[] {
  const customer = luck.of([`cus_${n}`, `cus_${n}b`]);
  const subscription = luck.of([`sub_b_${n}`, `sub_a_${n}`]);
  const userId = luck.of(USERS);
  return luck.times(3, () => {
    const event: DomainEvent = luck.of([
      { type: 'CustomerLinked', data: { customer, userId, reason: null } },
      { type: 'CustomerUnlinked', data: { customer, reason: 'a mistake' } },
      { type: 'SubscriptionLinked', data: { subscription, userId, reason: 'asked for' } },
      { type: 'SubscriptionUnlinked', data: { subscription, reason: null } },
    ]);
    return { event, origin: null, second: luck.second() };
  });
}

/** A grant and overrides of a user, of which some come, each once. */
function givenByOps(n: number, luck: Luck): readonly Happening[] {
  const plan = luck.of(['plus', 'pro', 'team', 'gold']);
  const of = { grant: `gr_${n}`, userId: luck.of(USERS), plan, limit: luck.of([7, 60, 900]) };
  const instant = () => (luck.of([true, false]) ? null : new Date(luck.second() * 1_000).toISOString());
  return byHandEvents(of, instant)
    .filter(() => luck.of([true, true, false]))
    .map((event) => ({ event, origin: null, second: luck.second() }));
}

/** Each catalogue gives another default plan, so that it changes what every user may do. */
function publication(catalog: PlanCatalog, n: number, luck: Luck): Happening {
  const free = { rank: 0, role: 'free', features: ['reports', `edition ${n}`] };
  const plans = { ...catalog.plans, free: { ...catalog.plans.free, ...free } };
  const data = { hash: `hash ${n}`, catalog: planCatalogSchema.parse({ ...catalog, plans }) };
  return { event: { type: 'PlanCatalogPublished', data }, origin: null, second: luck.second() };
}

/** Mostly as it happened; some come late, and the writers' clocks do not agree. */
function inOrderOfArrival(happenings: readonly Happening[], luck: Luck): readonly ToRecord[] {
  return happenings
    .map((each) => ({ ...each, second: each.second + luck.of([0, 0, 0, 0, DAY, MONTH]) }))
    .sort((a, b) => a.second - b.second)
    .map(({ event, origin, second }) => ({ event, origin, at: second * 1000 + luck.of([0, 7, -5_000]) }));
}

/** Choices that a seed decides. */
class Luck {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = randomFrom(seed);
  }

  of<T>(choices: readonly [T, ...T[]] | readonly T[]): T {
    const chosen = choices[Math.floor(this.#next() * choices.length)];
    if (chosen === undefined) throw new RangeError('nothing to choose from');
    return chosen;
  }

  times<T>(most: number, make: (n: number) => T): readonly T[] {
    return Array.from({ length: Math.floor(this.#next() * (most + 1)) }, (_, n) => make(n));
  }

  /** A second within two months of the time in which all lives begin. */
  second(): number {
    return DAWN + Math.floor(this.#next() * 2 * MONTH);
  }
}
