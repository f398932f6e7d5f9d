import type { EventEnvelope } from '../../events/event-envelope.js';
import { invoiceOfSubscription, subscriptionsOfLines } from '../../events/invoice.events.js';
import { thatMatter } from '../../policy/customer-sights.js';
import type { InvoiceObservation } from '../../policy/facts.js';
import { hasEvent } from '../../policy/growing-list.js';
import { allDone } from './all-done.js';
import { ByHandReducer } from './by-hand-reducer.js';
import { CheckoutReducer } from './checkout-reducer.js';
import { subjectOf } from './event-subject.js';
import { customerObservationOf, factOriginOf, observationOf } from './fact-rows.js';
import type { FactsLoader } from './facts-loader.js';
import { hasFacts, type KeptCheckout, type KeptCustomer, type KeptSubscription } from './kept-rows.js';
import { OwnershipReducer, sorted } from './ownership-reducer.js';
import { PaymentReducer } from './payment-reducer.js';
import { planChangeOf } from './plan-change-rows.js';
import { withSharedParts } from './shared-parts.js';
import { noteUsage } from './usage-rows.js';
import { userStreamsOf } from './user-streams.js';
import type { WorkingSet } from './working-set.js';
import type { WriteBatch } from './write-batch.js';

const NOBODY: readonly string[] = [];

/** Folds events into the facts in memory, and notes the rows that change. */
export class FactReducer {
  readonly #ownership: OwnershipReducer;
  readonly #payments: PaymentReducer;
  readonly #byHand: ByHandReducer;
  readonly #checkouts: CheckoutReducer;

  constructor(
    private readonly workingSet: WorkingSet,
    private readonly loader: FactsLoader,
    private readonly changes: WriteBatch,
  ) {
    this.#ownership = new OwnershipReducer(workingSet, loader, changes);
    this.#payments = new PaymentReducer(workingSet, loader, changes);
    this.#byHand = new ByHandReducer(workingSet, loader, changes);
    this.#checkouts = new CheckoutReducer({
      workingSet,
      loader,
      changes,
      ownership: this.#ownership,
      payments: this.#payments,
    });
  }

  /** Loads what a batch is about in few round trips; what is still missing is loaded when an event needs it. */
  async prefetch(events: readonly EventEnvelope[]): Promise<void> {
    const subjects = events.map(subjectOf);
    await allDone([
      this.loader.subscriptions(subjects.flatMap(({ subscription }) => subscription ?? [])),
      this.loader.checkouts(subjects.flatMap(({ session }) => session ?? [])),
      this.#payments.prefetch(events),
    ]);
    await this.loader.customers(
      subjects
        .flatMap(({ subscription, customer }) => [customer, this.#customerOf(subscription)])
        .filter((customer) => customer !== null),
    );
  }

  /** Users that a batch is likely to touch: owners already known, and claims it brings. */
  ownersOf(events: readonly EventEnvelope[]): readonly string[] {
    return events.flatMap((event) => {
      const { subscription } = subjectOf(event);
      const known =
        subscription === null ? null : (this.workingSet.subscriptions.get(subscription)?.owner ?? null);
      const claimed = 'userId' in event.data && event.type !== 'AuditAccessed' ? event.data.userId : null;
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
        const row = await this.loader.subscription(event.data.subscription);
        const observation = observationOf(event);
        const { customer: before, observations } = row;
        if (!hasEvent(observations, observation.eventId)) {
          // Whom any earlier one named was noted then.
          if (observations.at(-1)?.data.userId !== observation.data.userId) this.#noteUsers(event);
          this.workingSet.addObservation(row, observation);
          this.#addFact(row, observation.eventId, 'observation', observation);
        }
        const users = await this.#ownership.reassess(row);
        this.#noteCustomers(row, [before, observation.data.customer]);
        return users;
      }
      case 'SubscriptionPaid':
      case 'SubscriptionPaymentFailed':
      case 'SubscriptionInvoiceFinalized':
      case 'SubscriptionInvoiceUncollectible':
      case 'SubscriptionInvoiceVoided':
      case 'SubscriptionInvoiceRetrieved': {
        return this.#foldInvoice({ ...factOriginOf(event), type: event.type, data: event.data });
      }
      case 'CustomerInvoicePaid':
      case 'CustomerInvoicePaymentFailed':
      case 'CustomerInvoiceFinalized':
      case 'CustomerInvoiceUncollectible':
      case 'CustomerInvoiceVoided':
      case 'CustomerInvoiceRetrieved': {
        const affected = new Set<string>();
        for (const subscription of subscriptionsOfLines(event.data)) {
          const { customer } = event.data;
          this.changes.twoClocks.customers.push({ subscription, customer });
          const data = invoiceOfSubscription(event.data, subscription);
          const users = await this.#foldInvoice({ ...factOriginOf(event), type: event.type, data });
          for (const user of users) affected.add(user);
        }
        return sorted(affected);
      }
      case 'SubscriptionLinked':
      case 'SubscriptionUnlinked': {
        const row = await this.loader.subscription(event.data.subscription);
        this.#noteUsers(event);
        row.link = event.type === 'SubscriptionLinked' ? event.data.userId : null;
        this.#addFact(row, 'link', 'link', row.link);
        return this.#ownership.reassess(row);
      }
      case 'CustomerObserved':
      case 'CustomerDeleted':
      case 'CustomerRetrieved': {
        const row = await this.loader.customer(event.data.customer);
        const observation = customerObservationOf(event);
        if (row.observations.every(({ userId }) => userId !== observation.userId)) this.#noteUsers(event);
        row.observations = thatMatter([...row.observations, observation]);
        return this.#customerChanged(row);
      }
      case 'CustomerLinked':
      case 'CustomerUnlinked': {
        const row = await this.loader.customer(event.data.customer);
        this.#noteUsers(event);
        row.link = event.type === 'CustomerLinked' ? event.data.userId : null;
        return this.#customerChanged(row);
      }
      case 'CheckoutCompleted':
      case 'CheckoutPaymentSucceeded':
      case 'CheckoutPaymentFailed':
      case 'CheckoutExpired':
      case 'CheckoutRetrieved':
        return this.#checkouts.fold({ ...event, type: event.type });
      case 'PlanChangeRequested':
      case 'PlanChangeWithdrawn':
        this.changes.planChanges.set(event.data.userId, planChangeOf({ ...event }));
        return NOBODY;
      case 'AccessDeadlineReached':
        return [event.data.userId];
      case 'PaymentAttachedToInvoice':
      case 'PaymentRefunded':
      case 'PaymentRefundFailed':
      case 'PaymentDisputed':
      case 'DisputeClosed':
      case 'PaymentWarned':
      case 'PaymentRetrieved':
        return ownersOf(await this.#payments.fold(event));
      case 'GrantIssued':
      case 'GrantRevoked':
      case 'OverrideSet':
      case 'OverrideRemoved':
        this.#noteUsers(event);
        await this.#byHand.fold(event);
        return [event.data.userId];
      case 'CheckoutStarted':
        return this.#checkouts.foldStart(event);
      case 'CheckoutLinked':
      case 'CheckoutUnlinked':
        return this.#checkouts.foldLink(event);
      case 'UsageReported':
        noteUsage(this.changes.usage, event.data);
        return NOBODY; // usage changes no snapshot
      case 'PlanCatalogPublished':
      case 'EventSkipped':
      case 'AuditAccessed':
      case 'UserErased':
      case 'UserReadmitted':
        return NOBODY;
      default:
        return exhausted(event);
    }
  }

  async #foldInvoice(invoice: InvoiceObservation): Promise<readonly string[]> {
    const row = await this.loader.subscription(invoice.data.subscription);
    if (!hasEvent(row.invoices, invoice.eventId)) {
      row.invoices.push(withSharedParts(row.invoices.at(-1), invoice));
      this.#addFact(row, invoice.eventId, 'invoice', invoice);
    }
    const others = ownersOf(await this.#payments.foldInvoice(invoice));
    return sorted([...(await this.#ownership.reassess(row)), ...others]);
  }

  /** Notes of customers that a subscription was said to be of those that its row does not name. */
  #noteCustomers(
    { subscription, customer: current }: KeptSubscription,
    named: readonly (string | null)[],
  ): void {
    for (const customer of named) {
      if (customer !== null && customer !== current)
        this.changes.twoClocks.customers.push({ subscription, customer });
    }
  }

  #noteUsers(event: EventEnvelope): void {
    this.changes.twoClocks.userStreams.push(...userStreamsOf(event));
  }

  #customerChanged(row: KeptCustomer): readonly string[] {
    this.changes.customers.add(row);
    this.workingSet.unsettle(row.customer);
    return sorted(this.#ownership.reassessCustomer(row));
  }

  /** The customer of a subscription in memory that has a fact of its own. */
  #customerOf(id: string | null): string | null {
    const row = id === null ? undefined : this.workingSet.subscriptions.get(id);
    return row !== undefined && hasFacts(row) ? row.customer : null;
  }

  #addFact(
    row: KeptSubscription,
    factId: string,
    kind: 'observation' | 'invoice' | 'link',
    body: WriteBatch['facts'][number]['body'],
  ): void {
    this.changes.facts.push({ subscription: row.subscription, factId, kind, body });
  }
}

/** Those whose subscriptions and purchases are. */
function ownersOf(owned: readonly (KeptSubscription | KeptCheckout)[]): readonly string[] {
  return sorted(owned.flatMap(({ owner }) => owner ?? []));
}

function exhausted(event: never): never {
  throw new TypeError(`an event type without a fold: ${JSON.stringify(event)}`);
}
