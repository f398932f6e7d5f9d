import type { Pool } from 'pg';
import { z } from 'zod';
import type { StripeStream } from '../../../commands/recording.js';
import type { EventStore } from '../../../event-store/event-store.js';
import type { DomainEvent } from '../../../events/event-types.js';
import { streamName } from '../../../events/stream-names.js';
import type { SubscriptionObservationData } from '../../../events/subscription.events.js';
import type { InvoiceObservation } from '../../../policy/facts.js';
import { foldInvoices } from '../../../policy/invoices.js';
import { isTerminal, orderObservations } from '../../../policy/order.js';
import { customerOfSubscription, isCustomerDeleted } from '../../../policy/ownership.js';
import { readLiveCheckpoint } from '../../../projections/engine/checkpoint.js';
import { ENTITLEMENTS } from '../../../projections/entitlements/entitlements.projector.js';
import type { StripeObjectRef } from '../../gateway/object-kind.js';
import type { ObjectAnswer, StripeGateway } from '../../gateway/stripe.gateway.js';
import { listed, objectOf } from '../../gateway/stripe-lists.js';
import {
  AnswerAheadError,
  type AnswerReading,
  isAhead,
  readAnswer,
  retrievalKey,
  type UnusableObject,
} from '../answers.js';
import { type ImportItem, importItem } from '../import/import-item.js';
import { readPage } from '../import/import-pages.js';
import { readStreamFacts, type StreamFacts } from '../stream-facts.js';
import { differs } from './differs.js';
import type { Drift, DriftOf } from './drift-report.js';
import type { ReconciliationJob } from './reconciliation-jobs.js';
import type { Recorder } from './recorder.js';

export interface SweepOptions extends AnswerReading {
  readonly gateway: Pick<StripeGateway, 'page' | 'object'>;
  readonly pool: Pool;
  readonly store: Pick<EventStore, 'readPage'>;
  readonly streamPrefix: string;
  readonly job: Pick<ReconciliationJob, 'id' | 'gone' | 'actor'>;
  readonly recorder: Pick<Recorder, 'lacked'>;
  readonly drift: Drift;
  /** Hears after each page how many subscriptions were looked at. */
  readonly onSubscriptions: (count: number) => Promise<void>;
  readonly signal: AbortSignal;
}

const KNOWN_AT_ONCE = 1_000;
type GoneObject = Pick<DriftOf<'gone'>, 'kind' | 'id'>;
const knownRow = z.object({ subscription: z.string() });

/**
 * Compares every subscription of the account with the log, and has each difference repaired by what Stripe shows. Of those
 * whose current period nothing in the log pays for, the paid invoices too. What is known here and in no list is asked for
 * by its id: a list leaves some out. What cannot be recorded is reported and goes by.
 * @throws StripeUnansweredError, AnswerAheadError, and what the stores throw
 */
export class Sweep {
  /** Subscriptions and customers that Stripe showed, and customers that were asked for. */
  readonly #listed = new Set<string>();

  constructor(private readonly options: SweepOptions) {}

  async run(): Promise<void> {
    const { job, onSubscriptions, signal } = this.options;
    let after: string | null = null;
    for (;;) {
      const page: Awaited<ReturnType<typeof readPage>> = await readPage(
        { ...this.options, job: job.id },
        after,
      );
      if (page === null) break;
      for (const object of page.unusable) this.#cannotRecord(object);
      for (const items of byStream(page.items)) {
        signal.throwIfAborted();
        await this.#compareStream(items);
      }
      await onSubscriptions(page.subscriptions);
      after = page.last;
      if (!page.hasMore) break;
    }
    for await (const subscription of this.#known()) {
      if (!this.#listed.has(subscription)) await this.#lookFor(subscription);
      signal.throwIfAborted();
    }
  }

  /** Compares what is of one stream with it, and asks for what its subscription's current period was paid by. */
  async #compareStream(items: readonly [ImportItem, ...ImportItem[]]): Promise<void> {
    const facts = await this.#facts(items[0]);
    for (const item of items) await this.#compare(item, facts);
    for (const { event } of items) {
      if (event.type === 'SubscriptionRetrieved') {
        await this.#pay(event.data, facts, [...facts.invoices, ...items.flatMap(invoiceIn)]);
      }
    }
  }

  async #compare(item: ImportItem, facts: StreamFacts): Promise<void> {
    const { recorder, drift, job } = this.options;
    const { category, id, event, causation, answeredAt, apiVersion } = item;
    if (event.type === 'SubscriptionRetrieved' || event.type === 'CustomerRetrieved') this.#listed.add(id);
    if (differs(facts, item) === 'nothing new') return;
    drift.add('differences', shownBy(item));
    const created = answeredAt ?? 0;
    const stripe = { eventId: null, eventType: null, created, apiVersion, livemode: this.options.livemode };
    await recorder.lacked({ stream: { category, id }, event, causation, stripe, actor: job.actor });
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
      const item = await this.#retrieved({ kind: 'invoice', id });
      if (typeof item !== 'object') continue;
      const isHere = item.category === 'subscription' && item.id === subscription;
      await this.#compare(item, isHere ? facts : await this.#facts(item));
    }
  }

  /** Asks for a subscription that no list shows, and where Stripe has none of this id, for its customer. */
  async #lookFor(subscription: string): Promise<void> {
    const facts = await this.#facts({ category: 'subscription', id: subscription });
    const { observations } = orderObservations(facts.observations);
    const newest = observations.at(-1);
    if (newest === undefined || observations.some(({ data }) => isTerminal(data.status))) return;
    const shown = await this.#retrieved({ kind: 'subscription', id: subscription });
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

  /** Asks for a customer, once. */
  async #lookForCustomer(customer: string): Promise<void> {
    if (this.#listed.has(customer)) return;
    this.#listed.add(customer);
    const facts = await this.#facts({ category: 'customer', id: customer });
    const { customers } = facts;
    if (isCustomerDeleted(customers)) return;
    const shown = await this.#retrieved({ kind: 'customer', id: customer });
    if (typeof shown === 'object') return this.#compare(shown, facts);
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

  async #retrieved(about: StripeObjectRef): Promise<ImportItem | 'gone' | 'ignored'> {
    const { gateway, job } = this.options;
    const answer: ObjectAnswer | null = await objectOf(gateway, about);
    if (answer === null) return 'gone';
    if (isAhead(answer.answeredAt)) throw new AnswerAheadError();
    const read = readAnswer(about, job.id, answer, this.options);
    if (read.outcome === 'ignored') return 'ignored';
    if (read.outcome === 'unusable') {
      this.#cannotRecord({ ...about, why: read.why });
      return 'ignored';
    }
    const { stream, event, causation } = read;
    const { answeredAt, apiVersion } = answer;
    return importItem.parse({ ...stream, event, causation, answeredAt, apiVersion });
  }

  #cannotRecord(object: UnusableObject): void {
    this.#listed.add(object.id);
    this.options.drift.add('unusableObjects', object);
  }

  #facts({ category, id }: StripeStream): Promise<StreamFacts> {
    const { store, streamPrefix } = this.options;
    return readStreamFacts(store, streamName(streamPrefix, { category, id }));
  }

  /** Subscriptions of the read model, in their order. */
  async *#known(): AsyncGenerator<string> {
    const live = await readLiveCheckpoint(this.options.pool, ENTITLEMENTS);
    if (live === null) return;
    let after = '';
    for (;;) {
      const { rows } = await this.options.pool.query(
        `select subscription from tenure.subscription where generation = $1 and subscription > $2
         order by subscription limit $3`,
        [live.generation, after, KNOWN_AT_ONCE],
      );
      const page = rows.map((row) => knownRow.parse(row).subscription);
      yield* page;
      after = page.at(-1) ?? after;
      if (page.length < KNOWN_AT_ONCE) return;
    }
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

function shownBy({ id, event }: ImportItem): {
  readonly kind: 'subscription' | 'customer' | 'invoice';
  readonly id: string;
} {
  switch (event.type) {
    case 'SubscriptionRetrieved':
      return { kind: 'subscription', id };
    case 'SubscriptionInvoiceRetrieved':
    case 'CustomerInvoiceRetrieved':
      return { kind: 'invoice', id: event.data.invoice };
    default:
      return { kind: 'customer', id };
  }
}
