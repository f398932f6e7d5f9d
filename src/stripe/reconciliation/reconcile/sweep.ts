import type { Pool } from 'pg';
import type { DomainEvent } from '../../../events/event-types.js';
import { streamName } from '../../../events/stream-names.js';
import type { SubscriptionObservationData } from '../../../events/subscription.events.js';
import { isCustomerDeleted } from '../../../policy/customer-sights.js';
import type { InvoiceObservation } from '../../../policy/facts.js';
import { foldInvoices } from '../../../policy/invoices.js';
import { isTerminal, orderObservations } from '../../../policy/order.js';
import { customerOfSubscription } from '../../../policy/ownership.js';
import { listed } from '../../gateway/stripe-lists.js';
import { retrievalKey } from '../answers.js';
import type { ImportItem } from '../import/import-item.js';
import { type ImportedListName, readPage } from '../import/import-pages.js';
import type { ImportPage } from '../import/list-page.js';
import type { StreamFacts } from '../stream-facts.js';
import { Comparison, type ComparisonOptions } from './comparison.js';
import { knownRows } from './known-rows.js';

export interface SweepOptions extends ComparisonOptions {
  readonly pool: Pool;
  /** The second (Unix) from which on what was made is listed of disputes, refunds and warnings; `null`: all of it. */
  readonly paymentsFrom: number | null;
  /** Hears after each page of a list how many of its kind were looked at. */
  readonly onLooked: (list: ImportedListName, count: number) => Promise<void>;
  readonly signal: AbortSignal;
}

const OF_PAYMENTS = ['disputes', 'refunds', 'warnings'] as const satisfies readonly ImportedListName[];

type GoneObject = { readonly kind: 'subscription' | 'customer'; readonly id: string };

/**
 * Compares every subscription of the account with the log, and has each difference repaired by what Stripe shows. Of those
 * whose current period nothing in the log pays for, the paid invoices too. Then every purchase, and the disputes, refunds and early fraud warnings from a second on. What is known here and in no
 * list is asked for by its id: a list leaves some out. What cannot be recorded is reported and goes by.
 * @throws StripeUnansweredError, AnswerAheadError, and what the stores throw
 */
export class Sweep {
  readonly #comparison: Comparison;

  constructor(private readonly options: SweepOptions) {
    this.#comparison = new Comparison(options);
  }

  async run(): Promise<void> {
    const { pool, onLooked, signal } = this.options;
    for await (const { items, looked } of this.#pages('subscriptions', null)) {
      for (const ofStream of byStream(items)) {
        signal.throwIfAborted();
        await this.#compareStream(ofStream);
      }
      await onLooked('subscriptions', looked);
    }
    for await (const subscription of knownRows(pool, 'subscriptions')) {
      if (!this.#comparison.listed.has(subscription)) await this.#lookFor(subscription);
      signal.throwIfAborted();
    }
    for await (const { items, looked } of this.#pages('purchases', null)) {
      for (const item of items) {
        signal.throwIfAborted();
        if (this.#comparison.listed.has(item.id)) continue;
        await this.#comparison.compare(item, await this.#comparison.facts(item));
      }
      await onLooked('purchases', looked);
    }
    for await (const session of knownRows(pool, 'purchases')) {
      if (!this.#comparison.listed.has(session)) await this.#lookForPurchase(session);
      signal.throwIfAborted();
    }
    for (const list of OF_PAYMENTS) {
      for await (const { items, looked } of this.#pages(list, this.options.paymentsFrom)) {
        for (const ofStream of byStream(items)) {
          signal.throwIfAborted();
          const facts = await this.#comparison.facts(ofStream[0]);
          for (const item of ofStream) await this.#comparison.compare(item, facts);
        }
        await onLooked(list, looked);
      }
    }
  }

  /** The pages of a list, of what was made since a second (Unix) or of all. What of them cannot be recorded is reported. */
  async *#pages(list: ImportedListName, from: number | null): AsyncGenerator<ImportPage> {
    const reading = { ...this.options, job: this.options.job.id };
    let after: string | null = null;
    for (;;) {
      const page: ImportPage | null = await readPage(reading, list, from, after);
      if (page === null) return;
      for (const object of page.unusable) this.#comparison.cannotRecord(object);
      yield page;
      after = page.last;
      if (!page.hasMore) return;
    }
  }

  /** Compares what is of one stream with it, and asks for what its subscription's current period was paid by. */
  async #compareStream(items: readonly [ImportItem, ...ImportItem[]]): Promise<void> {
    const facts = await this.#comparison.facts(items[0]);
    for (const item of items) await this.#comparison.compare(item, facts);
    for (const { event } of items) {
      if (event.type === 'SubscriptionRetrieved') {
        await this.#pay(event.data, facts, [...facts.invoices, ...items.flatMap(invoiceIn)]);
      }
    }
  }

  /** Asks for the paid invoices of a subscription that goes on and whose current period none of `invoices` pays for. */
  async #pay(
    shown: SubscriptionObservationData,
    facts: StreamFacts,
    invoices: StreamFacts['invoices'],
  ): Promise<void> {
    const { subscription } = shown;
    if (isTerminal(shown.status)) return;
    const paid = foldInvoices(invoices).filter(({ data }) => data.status === 'paid');
    const isSettled = shown.items.every(({ price, currentPeriodStart }) =>
      paid.some(({ data: { lines } }) =>
        lines.some((line) => line.price === price && (line.periodEnd ?? 0) > (currentPeriodStart ?? 0)),
      ),
    );
    if (isSettled) return;
    const known = new Set(paid.map(({ data }) => data.invoice));
    const asked = { subscription, status: 'paid' };
    for await (const { id } of listed(this.options.gateway, '/v1/invoices', asked)) {
      if (known.has(id)) continue;
      const item = await this.#comparison.retrieved({ kind: 'invoice', id });
      if (typeof item !== 'object') continue;
      const isHere = item.category === 'subscription' && item.id === subscription;
      await this.#comparison.compare(item, isHere ? facts : await this.#comparison.facts(item));
    }
  }

  /** Asks for a subscription that no list shows, and where Stripe has none of this id, for its customer. */
  async #lookFor(subscription: string): Promise<void> {
    const facts = await this.#comparison.facts({ category: 'subscription', id: subscription });
    const { observations } = orderObservations(facts.observations);
    const newest = observations.at(-1);
    if (newest === undefined || observations.some(({ data }) => isTerminal(data.status))) return;
    const shown = await this.#comparison.retrieved({ kind: 'subscription', id: subscription });
    if (typeof shown === 'object') return this.#compareStream([shown]);
    if (shown === 'ignored') return;
    const data = { ...newest.data, previous: null, gone: true };
    await this.#gone(
      { kind: 'subscription', id: subscription },
      { type: 'SubscriptionRetrieved', data },
      newest.created,
    );
    const customer = customerOfSubscription(observations);
    if (customer !== null) await this.#lookForCustomer(customer);
  }

  /** Asks for a purchase that no list shows. One that Stripe no longer has is reported: its money was not given back by that. */
  async #lookForPurchase(session: string): Promise<void> {
    const shown = await this.#comparison.retrieved({ kind: 'checkout', id: session });
    if (shown === 'gone') this.options.drift.add('gone', { kind: 'checkout', id: session, ended: false });
    if (typeof shown !== 'object') return;
    await this.#comparison.compare(shown, await this.#comparison.facts(shown));
  }

  /** Asks for a customer, once. */
  async #lookForCustomer(customer: string): Promise<void> {
    if (this.#comparison.listed.has(customer)) return;
    this.#comparison.listed.add(customer);
    const facts = await this.#comparison.facts({ category: 'customer', id: customer });
    const { customers } = facts;
    if (isCustomerDeleted(customers)) return;
    const shown = await this.#comparison.retrieved({ kind: 'customer', id: customer });
    if (typeof shown === 'object') return this.#comparison.compare(shown, facts);
    if (shown === 'ignored') return;
    const newest = customers.reduce((latest, { created }) => Math.max(latest, created), -1);
    const data = { customer, userId: null, deleted: false, gone: true };
    await this.#gone({ kind: 'customer', id: customer }, { type: 'CustomerRetrieved', data }, newest);
  }

  /** Records that Stripe has no object of an id, where that ends it. `newest`: the second (Unix) of what was told last. */
  async #gone(what: GoneObject, event: DomainEvent, newest: number): Promise<void> {
    const { livemode, recorder, drift, job } = this.options;
    const ended = !livemode || job.gone === 'end';
    drift.add('gone', { ...what, ended });
    if (!ended) return;
    // Stripe's second is not told with a 404; what it is after is.
    const created = Math.max(newest + 1, Math.floor(Date.now() / 1_000));
    await recorder.lacked({
      stream: { category: what.kind, id: what.id },
      event,
      causation: retrievalKey(what.id, job.id),
      stripe: { eventId: null, eventType: null, created, apiVersion: null, livemode },
      actor: job.actor,
    });
  }
}

/** Items of one stream together, in the order in which they came. */
function byStream(items: readonly ImportItem[]): Iterable<readonly [ImportItem, ...ImportItem[]]> {
  const streams = new Map<string, [ImportItem, ...ImportItem[]]>();
  for (const item of items) {
    const stream = streamName('', item);
    const others = streams.get(stream);
    if (others === undefined) streams.set(stream, [item]);
    else others.push(item);
  }
  return streams.values();
}

/** An invoice that an item shows, as the fold of its stream would have it. */
function invoiceIn({ event, causation, answeredAt }: ImportItem): readonly InvoiceObservation[] {
  if (event.type !== 'SubscriptionInvoiceRetrieved') return [];
  const { type, data } = event;
  return [{ eventId: causation, stripeType: '', created: answeredAt ?? 0, type, data }];
}
