import type { EventEnvelope } from '../../events/event-envelope.js';
import { paymentIds } from '../../events/payment.events.js';
import type { InvoiceObservation, PaymentObservation } from '../../policy/facts.js';
import { allDone } from './all-done.js';
import type { FactsLoader } from './facts-loader.js';
import type { KeptCheckout, KeptInvoice, KeptPayment, KeptSubscription } from './kept-rows.js';
import { isPaymentEvent, isTrouble, type PaymentEvent, paymentObservationOf } from './payment-facts.js';
import { type WholePayment, wholePayment } from './payment-joins.js';
import type { PaymentJoin } from './payment-statements.js';
import type { WorkingSet } from './working-set.js';
import type { WriteBatch } from './write-batch.js';

/**
 * Joins payments to the subscriptions of the invoices, and to the sessions, that they paid (DESIGN 9), in whichever order they are told of, and
 * notes the rows that change. Of payments of which nothing was refunded or disputed a subscription hears
 * nothing: it judges nothing by them.
 */
export class PaymentReducer {
  constructor(
    private readonly workingSet: WorkingSet,
    private readonly loader: FactsLoader,
    private readonly changes: WriteBatch,
  ) {}

  /** Loads what a batch names of payments in few round trips. */
  async prefetch(events: readonly EventEnvelope[]): Promise<void> {
    const { payments: loader } = this.loader;
    const named = events.map(namedIn);
    const payments = named.flatMap(({ payments: ids }) => ids);
    const invoices = named.flatMap(({ invoice }) => invoice ?? []);
    await allDone([loader.payments(payments), loader.invoices(invoices)]);
    const rows = payments.flatMap((id) => this.workingSet.payments.get(id) ?? []);
    const kept = await loader.invoices([...invoices, ...rows.flatMap((row) => [...row.invoices])]);
    await loader.payments([
      ...rows.flatMap(({ others }) => [...others]),
      ...kept.flatMap(({ payments: ids }) => [...ids]),
    ]);
    const troubled = events
      .flatMap((event) => (isPaymentEvent(event) ? (paymentObservationOf(event) ?? []) : []))
      .filter(isTrouble)
      .flatMap(({ data }) => paymentIds(data));
    const disputed = troubled.flatMap((id) => [...(this.workingSet.payments.get(id)?.invoices ?? [])]);
    await this.loader.subscriptions(
      disputed.flatMap((invoice) => [...(this.workingSet.invoices.get(invoice)?.subscriptions ?? [])]),
    );
  }

  /** Folds what was told of a payment; returns the subscriptions and purchases that are judged by it. */
  async fold(event: PaymentEvent): Promise<readonly Hearing[]> {
    const observation = paymentObservationOf(event);
    if (observation === null) return [];
    const row = await this.loader.payments.payment(observation.data.payment);
    if (row.observations.some(({ eventId }) => eventId === observation.eventId)) return [];
    row.observations.push(observation);
    this.changes.payments.rows.add(row);
    await this.#nameTogether(paymentIds(observation.data));
    if (observation.data.invoice !== null) await this.#attach(row, observation.data.invoice);
    return this.#settle(row, observation);
  }

  /** Notes what an invoice of a subscription says of its payment; returns the subscriptions that are judged by that. */
  async foldInvoice({ data }: InvoiceObservation): Promise<readonly Hearing[]> {
    const { invoice, subscription } = data;
    const [kept] = await this.loader.payments.invoices([invoice]);
    if (kept === undefined) throw new Error('an invoice was loaded and is not there');
    let isNew = !kept.subscriptions.has(subscription);
    if (isNew) {
      kept.subscriptions.add(subscription);
      this.changes.payments.joins.push({
        kind: 'invoice',
        id: invoice,
        otherKind: 'subscription',
        other: subscription,
      });
    }
    const ids = [data.paymentIntent, data.charge].filter((id) => id !== null);
    if (await this.#nameTogether(ids)) isNew = true;
    for (const id of ids) {
      if (await this.#attach(await this.loader.payments.payment(id), invoice)) isNew = true;
    }
    const affected = new Set<Hearing>();
    for (const id of isNew ? kept.payments : []) {
      const row = await this.loader.payments.payment(id);
      for (const each of await this.#settle(row, null)) affected.add(each);
    }
    return [...affected];
  }

  /** Notes the session that a payment is of. */
  async foldSession(session: string, paymentIntent: string | null): Promise<void> {
    if (paymentIntent === null) return;
    const row = await this.loader.payments.payment(paymentIntent);
    if (row.sessions.has(session)) return;
    row.sessions.add(session);
    this.changes.payments.joins.push({
      kind: 'payment',
      id: paymentIntent,
      otherKind: 'session',
      other: session,
    });
    await this.#settle(row, null);
  }

  /** Ids that one observation names are of one payment; whether that is new of some of them. */
  async #nameTogether(ids: readonly string[]): Promise<boolean> {
    let isNew = false;
    await this.loader.payments.payments(ids);
    for (const id of ids) {
      const row = await this.loader.payments.payment(id);
      for (const other of ids) {
        if (other === id || row.others.has(other)) continue;
        row.others.add(other);
        this.changes.payments.joins.push({ kind: 'payment', id, otherKind: 'payment', other });
        isNew = true;
      }
    }
    return isNew;
  }

  /** An invoice is named with an id of a payment; whether that is new. */
  async #attach(row: KeptPayment, invoice: string): Promise<boolean> {
    if (row.invoices.has(invoice)) return false;
    const [kept] = await this.loader.payments.invoices([invoice]);
    const { payment: id } = row;
    row.invoices.add(invoice);
    kept?.payments.add(id);
    this.changes.payments.joins.push(
      { kind: 'payment', id, otherKind: 'invoice', other: invoice },
      { kind: 'invoice', id: invoice, otherKind: 'payment', other: id },
    );
    return true;
  }

  /** Sees what a payment by all its ids is joined to, once more is known; `told` is an observation that is new. */
  async #settle(row: KeptPayment, told: PaymentObservation | null): Promise<readonly Hearing[]> {
    const { ids, invoices, sessions } = await this.#whole(row.payment);
    const isJoined = invoices.length + sessions.length > 0;
    for (const each of ids) {
      if (each.isJoined === isJoined || each.observations.length === 0) continue;
      each.isJoined = isJoined;
      this.changes.payments.rows.add(each);
    }
    const hearing = new Set<Hearing>();
    for (const invoice of await this.loader.payments.invoices(invoices))
      await this.#tell(invoice, told, hearing);
    for (const session of sessions) await this.#tellSession(session, ids, told, hearing);
    return [...hearing];
  }

  /**
   * Tells the subscriptions of an invoice of all its payments, once something of one of them was refunded or disputed; those
   * that are told are added to `hearing`.
   */
  async #tell(invoice: KeptInvoice, told: PaymentObservation | null, hearing: Set<Hearing>): Promise<void> {
    const rows = new Set<KeptPayment>();
    for (const id of invoice.payments) for (const row of (await this.#whole(id)).ids) rows.add(row);
    const payments = [...rows].filter(({ observations }) => observations.length > 0);
    if (!payments.some(({ observations }) => observations.some(isTrouble))) return;
    for (const id of invoice.subscriptions) {
      this.#hear(await this.loader.subscription(id), { kind: 'subscription', id }, payments, told, hearing);
    }
  }

  /** Tells a session of its payment by all its ids, once something of it was refunded or disputed. */
  async #tellSession(
    session: string,
    ids: readonly KeptPayment[],
    told: PaymentObservation | null,
    hearing: Set<Hearing>,
  ): Promise<void> {
    const payments = ids.filter(({ observations }) => observations.length > 0);
    if (!payments.some(({ observations }) => observations.some(isTrouble))) return;
    const row = await this.loader.checkout(session);
    this.#hear(row, { kind: 'session', id: session }, payments, told, hearing);
  }

  #hear(
    row: Hearing,
    name: Pick<PaymentJoin, 'id'> & { readonly kind: 'subscription' | 'session' },
    payments: readonly KeptPayment[],
    told: PaymentObservation | null,
    hearing: Set<Hearing>,
  ): void {
    for (const { payment, observations } of payments) {
      if (!row.joined.has(payment)) {
        row.joined.add(payment);
        row.payments.push(...observations);
        this.changes.payments.joins.push({ ...name, otherKind: 'payment', other: payment });
      } else if (payment === told?.data.payment && !hearing.has(row)) {
        row.payments.push(told);
      }
    }
    hearing.add(row);
  }

  #whole(payment: string): Promise<WholePayment> {
    return wholePayment(payment, this.loader.payments, this.workingSet);
  }
}

/** What is told of payments: their facts are added to its own. */
type Hearing = KeptSubscription | KeptCheckout;

/** What an event names of payments. */
function namedIn(event: EventEnvelope): {
  readonly payments: readonly string[];
  readonly invoice: string | null;
} {
  if (isPaymentEvent(event)) return { payments: paymentIds(event.data), invoice: event.data.invoice };
  const { data } = event;
  if (!('paymentIntent' in data)) return { payments: [], invoice: null };
  const ids = [data.paymentIntent, 'charge' in data ? data.charge : null].filter((id) => id !== null);
  return { payments: ids, invoice: 'lines' in data ? data.invoice : null };
}
