import type { EventEnvelope } from '../../events/event-envelope.js';
import { invoiceOfSubscription, subscriptionsOfLines } from '../../events/invoice.events.js';
import type { InvoiceObservation } from '../../policy/facts.js';
import { eventIdsOf } from '../../policy/growing.js';
import {
  type CustomerWord,
  customerConflicts,
  customerOfSubscription,
  customerWord,
  isCustomerDeleted,
  NO_CUSTOMER,
  subscriptionConflicts,
  subscriptionOwner,
  thatMatter,
} from '../../policy/ownership.js';
import { factOriginOf } from './fact-rows.js';
import type { FactsLoader } from './facts-loader.js';
import type { KeptCustomer, KeptSubscription, WorkingSet } from './working-set.js';
import type { WriteBatch } from './write-batch.js';

/** What an event is about: what must be in memory before it is folded. */
interface Subject {
  readonly subscription: string | null;
  readonly customer: string | null;
  readonly session: string | null;
}

const NOBODY: readonly string[] = [];

/** Folds events into the facts in memory, tells whose they are (DESIGN 6), and notes the rows that change. */
export class FactReducer {
  constructor(
    private readonly workingSet: WorkingSet,
    private readonly loader: FactsLoader,
    private readonly changes: WriteBatch,
  ) {}

  /** Loads what a batch is about in few round trips; what is still missing is loaded when an event needs it. */
  async prefetch(events: readonly EventEnvelope[]): Promise<void> {
    const subjects = events.map(subjectOf);
    await Promise.all([
      this.loader.subscriptions(subjects.flatMap(({ subscription }) => subscription ?? [])),
      this.loader.checkouts(subjects.flatMap(({ session }) => session ?? [])),
    ]);
    await this.loader.customers(
      subjects
        .flatMap(({ subscription, customer }) => [customer, this.#known(subscription)?.customer ?? null])
        .filter((customer) => customer !== null),
    );
  }

  /** Users that a batch is likely to touch: owners already known, and claims it brings. */
  ownersOf(events: readonly EventEnvelope[]): readonly string[] {
    return events.flatMap((event) => {
      const { subscription } = subjectOf(event);
      const known =
        subscription === null ? null : (this.workingSet.subscriptions.get(subscription)?.owner ?? null);
      const claimed = 'userId' in event.data ? event.data.userId : null;
      return [known, claimed].filter((userId) => userId !== null);
    });
  }

  /** Folds one event; returns the users who must be judged anew, each once, in a fixed order. */
  async fold(event: EventEnvelope): Promise<readonly string[]> {
    switch (event.type) {
      case 'SubscriptionStarted':
      case 'SubscriptionActivated':
      case 'SubscriptionPlanChanged':
      case 'SubscriptionRenewed':
      case 'SubscriptionPastDue':
      case 'SubscriptionRecovered':
      case 'SubscriptionSuspended':
      case 'SubscriptionResumed':
      case 'SubscriptionCancellationScheduled':
      case 'SubscriptionCancellationWithdrawn':
      case 'SubscriptionTrialEnding':
      case 'SubscriptionCanceled':
      case 'SubscriptionExpired':
      case 'SubscriptionUpdated':
      case 'SubscriptionRetrieved': {
        const row = await this.#subscription(event.data.subscription);
        const observation = { ...factOriginOf(event), type: event.type, data: event.data };
        if (!eventIdsOf(row.observations).has(observation.eventId)) {
          this.workingSet.addObservation(row, observation);
          this.#addFact(row, observation.eventId, 'observation', observation);
        }
        return this.#reassess(row);
      }
      case 'SubscriptionPaid':
      case 'SubscriptionPaymentFailed':
      case 'SubscriptionInvoiceFinalized':
      case 'SubscriptionInvoiceUncollectible':
      case 'SubscriptionInvoiceVoided': {
        return this.#foldInvoice({ ...factOriginOf(event), type: event.type, data: event.data });
      }
      case 'CustomerInvoicePaid':
      case 'CustomerInvoicePaymentFailed':
      case 'CustomerInvoiceFinalized':
      case 'CustomerInvoiceUncollectible':
      case 'CustomerInvoiceVoided': {
        const affected = new Set<string>();
        for (const subscription of subscriptionsOfLines(event.data)) {
          const data = invoiceOfSubscription(event.data, subscription);
          const users = await this.#foldInvoice({ ...factOriginOf(event), type: event.type, data });
          for (const user of users) affected.add(user);
        }
        return sorted(affected);
      }
      case 'SubscriptionLinked':
      case 'SubscriptionUnlinked': {
        const row = await this.#subscription(event.data.subscription);
        row.link = event.type === 'SubscriptionLinked' ? event.data.userId : null;
        this.#addFact(row, 'link', 'link', row.link);
        return this.#reassess(row);
      }
      case 'CustomerObserved':
      case 'CustomerDeleted': {
        const row = await this.#customer(event.data.customer);
        const observation = { ...factOriginOf(event), userId: event.data.userId };
        row.observations = thatMatter([...row.observations, observation]);
        return this.#customerTold(row);
      }
      case 'CustomerLinked':
      case 'CustomerUnlinked': {
        const row = await this.#customer(event.data.customer);
        row.link = event.type === 'CustomerLinked' ? event.data.userId : null;
        return this.#customerTold(row);
      }
      case 'CheckoutCompleted':
      case 'CheckoutPaymentSucceeded':
      case 'CheckoutPaymentFailed':
      case 'CheckoutExpired':
        return this.#foldCheckout({ ...event, type: event.type });
      case 'AccessDeadlineReached':
        return [event.data.userId];
      case 'CheckoutStarted':
      case 'PlanCatalogPublished':
      case 'EventSkipped':
        return NOBODY;
      default:
        return exhausted(event);
    }
  }

  async #foldInvoice(invoice: InvoiceObservation): Promise<readonly string[]> {
    const row = await this.#subscription(invoice.data.subscription);
    if (!eventIdsOf(row.invoices).has(invoice.eventId)) {
      row.invoices.push(invoice);
      this.#addFact(row, invoice.eventId, 'invoice', invoice);
    }
    return this.#reassess(row);
  }

  async #foldCheckout(
    event: Extract<
      EventEnvelope,
      { type: 'CheckoutCompleted' | 'CheckoutPaymentSucceeded' | 'CheckoutPaymentFailed' | 'CheckoutExpired' }
    >,
  ): Promise<readonly string[]> {
    const { session, customer, subscription } = event.data;
    await this.loader.checkouts([session]);
    const row = this.workingSet.checkouts.get(session);
    if (row === undefined) throw new Error('a checkout was loaded and is not there');
    const observation = { ...factOriginOf(event), type: event.type, data: event.data };
    if (!row.observations.some(({ eventId }) => eventId === observation.eventId)) {
      row.observations.push(observation);
    }
    // What a session names is known from any of its events and does not change.
    const names = { customer: row.customer ?? customer, subscription: row.subscription ?? subscription };
    if (names.subscription !== null) await this.#subscription(names.subscription);
    if (names.customer !== null) await this.#customer(names.customer);
    this.workingSet.setNamesOf(row, names);
    this.changes.checkouts.add(row);

    const affected = new Set<string>();
    if (names.customer !== null) {
      for (const user of this.#reassessCustomer(await this.#customer(names.customer))) affected.add(user);
    }
    const named = this.#known(names.subscription);
    if (named !== undefined) for (const user of await this.#reassess(named)) affected.add(user);
    return sorted(affected);
  }

  #customerTold(row: KeptCustomer): readonly string[] {
    this.changes.customers.add(row);
    this.workingSet.unsettle(row.customer);
    return sorted(this.#reassessCustomer(row));
  }

  async #subscription(id: string): Promise<KeptSubscription> {
    await this.loader.subscriptions([id]);
    const row = this.workingSet.subscriptions.get(id);
    if (row === undefined) throw new Error('a subscription was loaded and is not there');
    return row;
  }

  async #customer(id: string): Promise<KeptCustomer> {
    await this.loader.customers([id]);
    const row = this.workingSet.customers.get(id);
    if (row === undefined) throw new Error('a customer was loaded and is not there');
    return row;
  }

  /** The row of a subscription that something was told of; one that only a checkout names is not yet. */
  #known(id: string | null): KeptSubscription | undefined {
    const row = id === null ? undefined : this.workingSet.subscriptions.get(id);
    return row !== undefined && (row.observations.length > 0 || row.invoices.length > 0 || row.link !== null)
      ? row
      : undefined;
  }

  #addFact(
    row: KeptSubscription,
    factId: string,
    kind: 'observation' | 'invoice' | 'link',
    body: WriteBatch['facts'][number]['body'],
  ): void {
    this.changes.facts.push({ subscription: row.subscription, factId, kind, body });
  }

  /** Who a subscription and its customer's others belong to now, after a fact of it. */
  async #reassess(row: KeptSubscription): Promise<readonly string[]> {
    const affected = new Set<string>();
    const customer = customerOfSubscription(row.observations);
    if (customer !== row.customer) {
      const before = row.customer;
      if (customer !== null) await this.#customer(customer);
      this.workingSet.setCustomerOf(row, customer);
      this.changes.subscriptions.add(row);
      if (before !== null) {
        for (const user of this.#reassessCustomer(await this.#customer(before))) affected.add(user);
      }
    }
    if (row.customer === null) {
      this.#noteDeleted(row, false);
      this.#reown(row, NO_CUSTOMER, affected);
    } else {
      for (const user of this.#reassessCustomer(await this.#customer(row.customer), [row]))
        affected.add(user);
    }
    if (row.owner !== null) affected.add(row.owner);
    return sorted(affected);
  }

  /**
   * Users whose subscriptions came, went or ended because of what is known of their customer. What it says of them is
   * decided anew only when something was told that this may hang on; all of its subscriptions are looked at when that
   * changes, else only those that the event touched.
   */
  #reassessCustomer(row: KeptCustomer, touched: readonly KeptSubscription[] = []): ReadonlySet<string> {
    const affected = new Set<string>();
    const isNew = this.workingSet.takeUnsettled(row.customer) && this.#settleCustomer(row);
    const isDeleted = isCustomerDeleted(row.observations);
    const all = isNew || isDeleted ? this.workingSet.subscriptionsOfCustomer(row.customer) : touched;
    for (const subscription of all) {
      if (this.#noteDeleted(subscription, isDeleted) && subscription.owner !== null) {
        affected.add(subscription.owner);
      }
    }
    for (const subscription of isNew ? all : touched) this.#reown(subscription, row.word, affected);
    return affected;
  }

  /** Decides what a customer says of its subscriptions by all that claims it; tells whether that is new. */
  #settleCustomer(row: KeptCustomer): boolean {
    const claims = {
      link: row.link,
      observations: row.observations,
      checkouts: this.workingSet.checkoutClaimsOfCustomer(row.customer),
      subscriptions: this.workingSet.claimsOfCustomer(row.customer),
    };
    const word = customerWord(claims);
    const conflicts = textOf(customerConflicts(claims, word.owner));
    const { word: before } = row;
    const isNew =
      word.owner !== before.owner || word.link !== before.link || word.metadata !== before.metadata;
    if (isNew || conflicts !== row.conflicts || isUnwritten(row)) this.changes.customers.add(row);
    row.word = word;
    row.conflicts = conflicts;
    return isNew;
  }

  /** Keeps with a subscription whether its customer was seen deleted; tells whether that is new. */
  #noteDeleted(row: KeptSubscription, isDeleted: boolean): boolean {
    if (row.customerDeleted === isDeleted) return false;
    row.customerDeleted = isDeleted;
    this.changes.subscriptions.add(row);
    return true;
  }

  #reown(row: KeptSubscription, customer: CustomerWord, affected: Set<string>): void {
    const owner = subscriptionOwner(row, customer);
    const conflicts = textOf(subscriptionConflicts(row, owner));
    if (owner !== row.owner) {
      if (row.owner !== null) affected.add(row.owner);
      if (owner !== null) affected.add(owner);
    }
    if (owner !== row.owner || conflicts !== row.conflicts || isUnwritten(row)) {
      this.changes.subscriptions.add(row);
    }
    this.workingSet.setOwnerOf(row, owner);
    row.conflicts = conflicts;
  }
}

/** A row whose first fact is being folded: it is written even when nobody owns it yet. */
function isUnwritten(row: KeptSubscription | KeptCustomer): boolean {
  return 'invoices' in row
    ? row.owner === null && row.observations.length + row.invoices.length <= 1
    : row.word.owner === null && row.observations.length <= 1;
}

function subjectOf({ type, data }: EventEnvelope): Subject {
  if (type === 'PlanCatalogPublished') return { subscription: null, customer: null, session: null };
  return {
    subscription: 'subscription' in data ? data.subscription : null,
    customer: 'customer' in data ? data.customer : null,
    session: 'session' in data ? data.session : null,
  };
}

function textOf(conflicts: readonly unknown[]): string | null {
  return conflicts.length === 0 ? null : JSON.stringify(conflicts);
}

function sorted(users: Iterable<string>): readonly string[] {
  return [...users].sort();
}

function exhausted(event: never): never {
  throw new TypeError(`an event type without a fold: ${JSON.stringify(event)}`);
}
